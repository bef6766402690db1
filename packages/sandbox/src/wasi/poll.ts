import { clockIds, eventTypes, structSizes } from './abi';
import type { HostContext } from './context';
import { type Errno, errno } from './errno';

const maxSubscriptions = 1024;
const absoluteTime = 1;

interface ClockSubscription {
  userData: bigint;
  /** On the monotonic clock. */
  dueNs: bigint;
}

interface GuestEvent {
  userData: bigint;
  type: number;
  error: Errno;
  readyBytes: bigint;
}

/** Waiting. Descriptors are always ready (a transfer that cannot go on at once blocks by itself); clocks are waited for. */
export function pollFunctions(context: HostContext) {
  const { memory, clock } = context;

  return {
    poll_oneoff(subscriptions: number, events: number, count: number, result: number): number {
      const length = count >>> 0;
      if (length === 0 || length > maxSubscriptions) return errno.inval;
      const first = memory.check(subscriptions, length * structSizes.subscription);
      const target = memory.check(events, length * structSizes.event);
      memory.check(result, 4);
      const ready: GuestEvent[] = [];
      const clocks: ClockSubscription[] = [];
      for (let i = 0; i < length; i++) {
        readSubscription(context, first + i * structSizes.subscription, ready, clocks);
      }
      if (clocks.length > 0) {
        if (ready.length === 0) sleepUntilFirst(context, clocks);
        const nowNs = clock.monotonicNs();
        for (const { userData, dueNs } of clocks) {
          if (dueNs <= nowNs) ready.push({ userData, type: eventTypes.clock, error: errno.success, readyBytes: 0n });
        }
      }
      ready.forEach((event, i) => {
        writeEvent(context, target + i * structSizes.event, event);
      });
      memory.setUint32(result, ready.length);
      return errno.success;
    },
  };
}

function readSubscription(context: HostContext, at: number, ready: GuestEvent[], clocks: ClockSubscription[]): void {
  const { memory, clock } = context;
  const userData = memory.getUint64(at);
  const type = memory.getUint8(at + 8);
  const subject = memory.getUint32(at + 16);
  const error = findProblem(context, type, subject);
  if (error !== errno.success || type !== eventTypes.clock) {
    ready.push({ userData, type, error, readyBytes: error === errno.success ? 1n : 0n });
    return;
  }
  const timeoutNs = memory.getUint64(at + 24);
  const isAbsolute = (memory.getUint16(at + 40) & absoluteTime) !== 0;
  const startNs = subject === clockIds.realtime && isAbsolute ? clock.realtimeNs() : clock.monotonicNs();
  clocks.push({ userData, dueNs: clock.monotonicNs() + (isAbsolute ? timeoutNs - startNs : timeoutNs) });
}

function findProblem({ descriptors }: HostContext, type: number, subject: number): Errno {
  if (type === eventTypes.clock) {
    return subject === clockIds.realtime || subject === clockIds.monotonic ? errno.success : errno.notsup;
  }
  if (type !== eventTypes.fdRead && type !== eventTypes.fdWrite) return errno.inval;
  return descriptors.find(subject) === undefined ? errno.badf : errno.success;
}

/** Timers of the host may fire a little early: asks the clock again until one subscription is due. */
function sleepUntilFirst({ clock }: HostContext, clocks: ClockSubscription[]): void {
  let { dueNs } = clocks[0]!;
  for (const other of clocks) if (other.dueNs < dueNs) dueNs = other.dueNs;
  for (;;) {
    const leftNs = dueNs - clock.monotonicNs();
    if (leftNs <= 0n) return;
    clock.sleep(leftNs);
  }
}

function writeEvent({ memory }: HostContext, at: number, { userData, type, error, readyBytes }: GuestEvent): void {
  memory.bytes.fill(0, at, at + structSizes.event);
  memory.setUint64(at, userData);
  memory.setUint16(at + 8, error);
  memory.setUint8(at + 10, type);
  memory.setUint64(at + 16, readyBytes);
}
