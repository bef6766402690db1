import { isStorageError } from '@zerocloud/object-server/errors';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import type {
  ContainerSettings,
  ObjectEntry,
  ObjectPath,
  VersionEntry,
} from '@zerocloud/object-server/store/object-store';
import { md5, someBytes } from '../../../contract/object-store';
import { findContradictions } from '../../../support/consistency';
import { Random } from '../../../support/random';
import { md5OfBody } from '../../../support/stored-bodies';
import { withDataDir } from './support';

/**
 * Everybody works on the same few names, and whole containers and accounts come and go meanwhile. Nobody can say what must
 * be there in the end; but it must fit together, and what is read must be what somebody wrote.
 */

const rounds = Number(process.env.PROPERTY_ROUNDS ?? 4);
const clients = 8;
const operationsPerRound = 80;
const accounts = ['AUTH_a', 'AUTH_b'];
const containers = ['c', 'd', 'old'];
const names = ['a', 'b', 'é😀'];
const maxBytes = 1e6;

class World {
  seconds = 1_700_000_000;
  #ticks = 0;
  /** md5s of everything that was ever sent. */
  readonly sent = new Set<string>([md5(Buffer.alloc(0))]);
  store!: LevelStore;

  constructor(readonly random: Random) {}

  next(): string {
    this.#ticks += this.random.below(3);
    return `${this.seconds}.${String(this.#ticks).padStart(5, '0')}`;
  }

  data(): Buffer {
    const data = someBytes(this.random.of([0, 1, 300, 65_536, 65_537, 150_000]), this.random.below(1e9));
    this.sent.add(md5(data));
    return data;
  }

  anywhere(): ObjectPath {
    const { random } = this;
    return { account: random.of(accounts), container: random.of(containers), object: random.of(names) };
  }

  settings(): ContainerSettings {
    const { random } = this;
    return random.of<ContainerSettings>([
      {},
      { versioning: 'enabled' },
      { versioning: 'suspended' },
      { archive: { container: 'old', mode: 'stack' } },
      { archive: { container: 'old', mode: 'history' } },
      { archive: null },
      { policy: 'relaxed' },
      { policy: null },
    ]);
  }
}

async function* inPieces(data: Buffer): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < data.length; offset += 40_000) {
    await new Promise(setImmediate);
    yield data.subarray(offset, offset + 40_000);
  }
}

type Operation = (world: World) => Promise<unknown>;

const options = (world: World) => {
  const { random } = world;
  const deleteAt = random.below(4) === 0 ? world.seconds + random.below(3) : undefined;
  return { timestamp: world.next(), contentType: 'a/b', metadata: {}, ...(deleteAt !== undefined && { deleteAt }) };
};

const put: Operation = (world) => {
  const { store, random } = world;
  const ifAbsent = random.below(4) === 0;
  const { account: _, ...required } = world.anywhere();
  const becomes = random.below(2) === 0 ? ('deleted' as const) : { note: String(random.below(9)) };
  const requires = random.below(4) === 0 ? { ...required, metadata: {}, becomes } : undefined;
  return store.putObject(world.anywhere(), inPieces(world.data()), { ...options(world), ifAbsent, requires, maxBytes });
};

const copy: Operation = async (world) => {
  const source = world.anywhere();
  const record = await world.store.findObject(source);
  if (!record) return;
  await world.store.copyObject(source, world.anywhere(), { ...options(world), sourceBodyId: record.bodyId });
};

const update: Operation = (world) => world.store.updateObject(world.anywhere(), options(world));

const remove: Operation = (world) => world.store.deleteObject(world.anywhere(), { timestamp: world.next() });

const append: Operation = async (world) => {
  const { etag } = await world.store.appendObject(world.anywhere(), Buffer.from('more'), {
    timestamp: world.next(),
    contentType: 'a/b',
  });
  world.sent.add(etag);
};

const changeVersion: Operation = async (world) => {
  const { store, random } = world;
  const path = world.anywhere();
  const listed = (await store.listVersions(path, { limit: 100 })) as VersionEntry[];
  if (listed.length === 0) return;
  const { name: object, versionId } = random.of(listed);
  const at = { ...path, object, versionId };
  const timestamp = world.next();
  const dice = random.below(3);
  if (dice === 0) await store.deleteObject(at, { timestamp });
  else if (dice === 1) await store.restoreVersion(at, { timestamp, ifAbsent: random.below(2) === 0 });
  else await read({ ...world, store, anywhere: () => at } as never);
};

const read: Operation = async (world) => {
  const opened = await world.store.openObject(world.anywhere());
  if (!opened) return;
  try {
    if (world.random.below(2) === 0) await new Promise(setImmediate);
    const etag = await md5OfBody(opened);
    expect(etag).toBe(opened.record.etag);
  } finally {
    opened.close();
  }
};

const list: Operation = async (world) => {
  const path = world.anywhere();
  for (const entry of (await world.store.listObjects(path, { limit: 1000 })) as ObjectEntry[]) {
    expect(entry.sizeBytes).toBeGreaterThanOrEqual(0);
  }
};

const makeContainer: Operation = (world) =>
  world.store.putContainer(world.anywhere(), { timestamp: world.next(), metadata: {}, settings: world.settings() });

const removeContainer: Operation = async (world) => {
  const { store } = world;
  const path = world.anywhere();
  for (const entry of (await store.listVersions(path, { limit: 100 })) as VersionEntry[]) {
    const at = { ...path, object: entry.name, versionId: entry.versionId };
    await unlessRefused(store.deleteObject(at, { timestamp: world.next() }));
  }
  await store.deleteContainer(path);
};

const changeAccount: Operation = async (world) => {
  const account = world.random.of(accounts);
  const dice = world.random.below(6);
  if (dice === 0) await world.store.deleteAccount(account);
  else if (dice < 3) await world.store.maintenance.runNow('reaper');
  else await world.store.putAccount(account, { timestamp: world.next(), metadata: {} });
};

const maintain: Operation = async (world) => {
  await world.store.maintenance.runNow(world.random.of(['expirer', 'reaper', 'orphanSweep', 'auditor'] as const));
};

const tick: Operation = async (world) => {
  world.seconds++;
};

const weights: [Operation, number][] = [
  [put, 12],
  [copy, 8],
  [update, 4],
  [remove, 8],
  [append, 3],
  [changeVersion, 6],
  [read, 6],
  [list, 2],
  [makeContainer, 5],
  [removeContainer, 2],
  [changeAccount, 1],
  [maintain, 2],
  [tick, 1],
];
const choices = weights.flatMap(([operation, weight]) => Array<Operation>(weight).fill(operation));

async function unlessRefused(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!isStorageError(error) || error.code === 'unavailable') throw error;
  });
}

/** What is there can be listed, found and read, and was sent by somebody. */
async function checkReadable({ store, sent }: World): Promise<void> {
  for (const account of accounts) {
    for (const container of containers) {
      const home = { account, container };
      if (!(await store.findContainer(home))) continue;
      for (const { name: object, versionId, isDeleteMarker, etag } of (await store.listVersions(home, {
        limit: 10_000,
      })) as VersionEntry[]) {
        if (isDeleteMarker) continue;
        const opened = await store.openObject({ ...home, object, versionId });
        if (!opened) continue;
        expect(await md5OfBody(opened)).toBe(etag);
        opened.close();
        expect(sent.has(etag)).toBe(true);
      }
    }
  }
}

test('whatever happens to the same names, containers and accounts at once fits together afterwards', async () => {
  const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
  const world = new World(new Random(seed));
  await withDataDir(async (directory) => {
    const dataDir = `${directory}/data`;
    const logged: unknown[] = [];
    const open = () =>
      openLevelStore({
        dataDir,
        fsync: false,
        now: () => world.seconds * 1000,
        relaxedSyncMs: 5,
        log: (event) => 'err' in event && logged.push(event),
      });
    world.store = await open();
    const work = async () => {
      for (let count = 0; count < operationsPerRound; count++) await unlessRefused(world.random.of(choices)(world));
    };
    try {
      for (let round = 0; round < rounds; round++) {
        await Promise.all(Array.from({ length: clients }, work));
        await checkReadable(world);
        for (const task of ['expirer', 'reaper', 'orphanSweep'] as const) await world.store.maintenance.runNow(task);
        await world.store.close();
        expect(await findContradictions(dataDir)).toEqual([]);
        world.store = await open();
        await checkReadable(world);
      }
      expect(logged).toEqual([]);
    } catch (error) {
      throw new Error(`PROPERTY_SEED=${seed} (as far as the order of clients goes)`, { cause: error });
    } finally {
      await world.store.close();
    }
  });
}, 120_000);
