/** A user, its group and the group that may read what is linked into slots; numbers that need no entry in any file. */
export interface SlotUser {
  uid: number;
  gid: number;
  /** Shared by all slots: the inputs of sessions are readable for it. */
  readersGid: number;
}

/** Below those of system services, within the 16 bits that every container has. */
const readersGid = 62_000;
const firstUid = 62_001;
const userCount = 2000;
const groupUserCount = 1000;

/**
 * The user of a slot; slots of groups count downwards from -1 and have users of their own. There are more of them than processes
 * can be alive, so no two share one.
 */
export function slotUser(slot: number): SlotUser {
  const uid = slot >= 0 ? firstUid + (slot % userCount) : firstUid + userCount + ((-1 - slot) % groupUserCount);
  return { uid, gid: uid, readersGid };
}

/** Written into and read from a command line. */
export function formatSlotUser({ uid, gid, readersGid: readers }: SlotUser): string {
  return `${uid}:${gid}:${readers}`;
}

export function parseSlotUser(text: string): SlotUser {
  const [uid, gid, readers] = text.split(':').map(Number);
  return { uid: uid!, gid: gid!, readersGid: readers! };
}
