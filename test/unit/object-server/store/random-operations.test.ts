import { isStorageError } from '@zerocloud/object-server/errors';
import { type LevelStore, openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import {
  isDeleteMarker,
  type ObjectEntry,
  type ObjectPath,
  type OpenObject,
  type VersionEntry,
} from '@zerocloud/object-server/store/object-store';
import { md5, someBytes } from '../../../contract/object-store';
import { findContradictions } from '../../../support/consistency';
import { Random } from '../../../support/random';
import { md5OfBody } from '../../../support/stored-bodies';
import { withDataDir } from './support';

const rounds = 5;
const clients = 5;
const operationsPerRound = 60;
const account = 'AUTH_test';
const timestamp0 = '1700000000.00000';

type Kind = 'plain' | 'relaxed' | 'versioned' | 'stack' | 'history';
const kinds: Kind[] = ['plain', 'relaxed', 'versioned', 'stack', 'history'];

interface Kept {
  etag: string;
  deleteAt?: number;
  /** Of versions, as far as the answers said it. */
  versionId?: string;
}

/** What a name stands for: the current object, and what is kept of older ones, newest first (where it matters). */
interface Model {
  current?: Kept;
  beside: Kept[];
}

const deleted = 'deleted';

/** One clock for store and clients; timestamps may be equal, and of versioned containers may go backwards. */
class Clock {
  seconds = 1_700_000_000;
  #ticks = 0;
  constructor(private readonly random: Random) {}
  next({ backwards = false } = {}): string {
    this.#ticks = Math.max(this.#ticks + this.random.below(3), 10);
    const ticks = this.#ticks - (backwards ? this.random.below(10) : 0);
    return `${this.seconds}.${String(ticks).padStart(5, '0')}`;
  }
  advance(seconds: number): void {
    this.seconds += seconds;
    this.#ticks = 0;
  }
}

async function* inPieces(data: Buffer, breakOff = false): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < data.length; offset += 40_000) yield data.subarray(offset, offset + 40_000);
  if (breakOff) throw new Error('the client is gone');
}

async function etagOf(opened: OpenObject): Promise<string> {
  const etag = await md5OfBody(opened);
  return isDeleteMarker(opened.record) ? deleted : etag;
}

/** `undefined` for a refusal; anything else than a refusal is a fault. */
async function unlessRefused<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/** Somebody who has names of his own in every container, knows what they hold, and shares one with all others. */
class Client {
  readonly models = new Map<string, Model>();
  readonly #readers: { opened: OpenObject; etag: string }[] = [];

  constructor(
    readonly store: () => LevelStore,
    private readonly name: string,
    private readonly random: Random,
    private readonly clock: Clock,
  ) {}

  async work(): Promise<void> {
    for (let count = 0; count < operationsPerRound; count++) {
      if (this.random.below(6) === 0) await this.#disturb();
      else await this.#operate();
    }
    for (const { opened, etag } of this.#readers.splice(0)) {
      expect(await etagOf(opened)).toBe(etag);
      opened.close();
    }
  }

  model(kind: Kind, object: string): Model {
    const key = `${kind}/${object}`;
    const model = this.models.get(key) ?? { beside: [] };
    this.models.set(key, model);
    return model;
  }

  #any(): { kind: Kind; at: ObjectPath; model: Model } {
    const kind = this.random.of(kinds);
    const object = `${this.name}${this.random.of(['a', 'b', 'é/\uffff', '😀'])}`;
    return { kind, at: { account, container: kind, object }, model: this.model(kind, object) };
  }

  #data(): Buffer {
    const size = this.random.of([0, 1, 100, 5000, 65_536, 65_537, 200_000]);
    return Buffer.concat([someBytes(size, this.random.below(1e9)), Buffer.from(size > 0 ? this.name : '')]);
  }

  #options(kind: Kind) {
    const deleteAt = this.random.below(4) === 0 ? this.clock.seconds + 5 : undefined;
    const timestamp = this.clock.next({ backwards: kind === 'versioned' });
    return { timestamp, contentType: 'a/b', metadata: {}, ...(deleteAt !== undefined && { deleteAt }) };
  }

  async #operate(): Promise<void> {
    const dice = this.random.below(20);
    if (dice < 6) await this.#put();
    else if (dice < 8) await this.#breakOff();
    else if (dice < 11) await this.#copy();
    else if (dice < 14) await this.#delete();
    else if (dice < 15) await this.#append();
    else if (dice < 16) await this.#update();
    else if (dice < 18) await this.#changeVersions();
    else await this.#read();
  }

  /** What the container's rules make of a new current object. */
  #replaced(kind: Kind, model: Model, current: Kept): void {
    const { current: previous } = model;
    if (previous && kind !== 'plain' && kind !== 'relaxed') {
      const { deleteAt, ...endless } = previous;
      model.beside.unshift(kind === 'versioned' ? endless : previous);
    }
    model.current = current;
  }

  async #put(): Promise<void> {
    const { kind, at, model } = this.#any();
    const data = this.#data();
    const options = this.#options(kind);
    const ifAbsent = this.random.below(4) === 0;
    const stored = await unlessRefused(
      this.store().putObject(at, inPieces(data), { ...options, ifAbsent, maxBytes: 1e6 }),
    );
    expect(stored === undefined).toBe(ifAbsent && model.current !== undefined);
    if (!stored) return;
    expect(stored.etag).toBe(md5(data));
    this.#replaced(kind, model, { etag: stored.etag, deleteAt: options.deleteAt, versionId: stored.versionId });
  }

  async #breakOff(): Promise<void> {
    const { kind, at } = this.#any();
    const data = this.#data();
    const options = { ...this.#options(kind), maxBytes: 1e6 };
    const wrong = this.random.of([{ etag: '0'.repeat(32) }, { contentLength: data.length + 1 }, { maxBytes: -1 }, {}]);
    const put = this.store().putObject(at, inPieces(data, true), { ...options, ...wrong });
    expect(await unlessRefused(put)).toBeUndefined();
  }

  async #copy(): Promise<void> {
    const { at: from, model: source } = this.#any();
    const { kind, at, model } = this.#any();
    const record = await this.store().findObject(from);
    expect(record?.etag).toBe(source.current?.etag);
    if (!record) return;
    const options = this.#options(kind);
    const copied = await this.store().copyObject(from, at, { ...options, sourceBodyId: record.bodyId });
    this.#replaced(kind, model, { etag: record.etag, deleteAt: options.deleteAt, versionId: copied.versionId });
  }

  async #delete(): Promise<void> {
    const { kind, at, model } = this.#any();
    const { timestamp } = this.#options(kind);
    const gone = await unlessRefused(this.store().deleteObject(at, { timestamp }));
    const { current, beside } = model;
    if (kind === 'stack') {
      expect(gone !== undefined).toBe(current !== undefined || beside.length > 0);
      model.current = beside.shift();
      return;
    }
    expect(gone !== undefined).toBe(current !== undefined || kind === 'versioned');
    this.#replaced(kind, model, { etag: '' });
    model.current = undefined;
    if (kind === 'versioned' || kind === 'history') beside.unshift({ etag: deleted, versionId: gone?.markerId });
  }

  async #append(): Promise<void> {
    const { kind, at, model } = this.#any();
    const data = Buffer.from(this.name);
    const { timestamp, contentType } = this.#options(kind);
    const appended = await unlessRefused(this.store().appendObject(at, data, { timestamp, contentType }));
    if (!appended) return;
    const { etag, deleteAt, versionId } = appended;
    expect(deleteAt).toBe(model.current?.deleteAt);
    this.#replaced(kind, model, { etag, deleteAt, versionId });
  }

  async #update(): Promise<void> {
    const { kind, at, model } = this.#any();
    const { deleteAt, timestamp } = this.#options(kind);
    const metadata = { 'x-object-meta-of': this.name };
    const updated = await unlessRefused(this.store().updateObject(at, { timestamp, metadata, deleteAt }));
    expect(updated !== undefined).toBe(model.current !== undefined);
    if (model.current) model.current = { ...model.current, deleteAt };
  }

  /** Reads, restores or deletes a version, as the listing names it. */
  async #changeVersions(): Promise<void> {
    const object = this.#any().at.object;
    const container = { account, container: 'versioned' };
    const model = this.model('versioned', object);
    const listed = (await this.store().listVersions(container, { limit: 1000, prefix: object })) as VersionEntry[];
    if (listed.length === 0) return;
    const { versionId, etag, isDeleteMarker: isMarker } = this.random.of(listed);
    const at = { ...container, object, versionId };
    const isCurrent = model.current?.versionId === versionId;
    const { timestamp } = this.#options('versioned');
    const index = model.beside.findIndex((kept) => kept.versionId === versionId);
    expect(isCurrent || index >= 0).toBe(true);
    const dice = this.random.below(3);
    if (dice === 0) {
      const opened = (await this.store().openObject(at))!;
      expect(await etagOf(opened)).toBe(isMarker ? deleted : etag);
      opened.close();
    } else if (dice === 1) {
      await this.store().deleteObject(at, { timestamp });
      if (isCurrent) model.current = undefined;
      else model.beside.splice(index, 1);
    } else {
      const restored = await unlessRefused(this.store().restoreVersion(at, { timestamp }));
      expect(restored === undefined).toBe(isMarker);
      if (isMarker || isCurrent) return;
      const [kept] = model.beside.splice(index, 1);
      this.#replaced('versioned', model, { etag: kept!.etag, versionId });
    }
  }

  /** Opens an object, and reads it at once or when it may have changed. */
  async #read(): Promise<void> {
    const { at, model } = this.#any();
    const opened = await this.store().openObject(at);
    expect(opened?.record.etag).toBe(model.current?.etag);
    if (opened) this.#readers.push({ opened, etag: model.current!.etag });
    const read = this.random.below(2) === 0 ? this.#readers.shift() : undefined;
    if (!read) return;
    expect(await etagOf(read.opened)).toBe(read.etag);
    read.opened.close();
  }

  /** What all do with the same names, containers and accounts at once; only that nothing breaks is known. */
  async #disturb(): Promise<void> {
    const store = this.store();
    const { random } = this;
    const container = { account: random.of([account, account, 'AUTH_other']), container: random.of(['x', 'y']) };
    const at = { ...container, object: random.of(['one', 'two']) };
    const timestamp = this.clock.next({ backwards: true });
    const settings = random.of([
      undefined,
      undefined,
      { versioning: 'enabled' as const },
      { versioning: 'suspended' as const },
      { archive: { container: random.of(['x', 'y']), mode: random.of(['stack', 'history'] as const) } },
      { archive: null },
      { policy: random.of(['relaxed', null] as const) },
    ]);
    const options = { ...this.#options('versioned'), maxBytes: 1e6 };
    const body = inPieces(this.#data());
    const listed = (await unlessRefused(store.listVersions(container, { limit: 100, prefix: at.object }))) ?? [];
    const { versionId } = (random.of([...listed, {}]) ?? {}) as VersionEntry;
    const source = { ...at, object: random.of(['one', 'two']), versionId };
    const sourceBodyId = (await store.findObject(source))?.bodyId ?? '';
    const deleteAll = async () => {
      for (const each of (await store.listVersions(container, { limit: 100 })) as VersionEntry[]) {
        const version = each.versionId === 'null' ? undefined : each.versionId;
        await unlessRefused(store.deleteObject({ ...container, object: each.name, versionId: version }, { timestamp }));
      }
      await store.deleteContainer(container);
    };
    const operations: (() => Promise<unknown>)[] = [
      () => store.putContainer(container, { timestamp, metadata: {}, settings }),
      () => store.putContainer(container, { timestamp, metadata: {} }),
      () => store.putObject(at, body, options),
      () => store.putObject(at, body, options),
      () => store.putObject(at, body, options),
      () => store.copyObject(source, at, { ...options, sourceBodyId }),
      () => store.copyObject(source, at, { ...options, sourceBodyId }),
      () => store.appendObject(at, Buffer.from('more'), options),
      () => store.updateObject(at, options),
      () => store.deleteObject(source, { timestamp }),
      () => store.deleteObject(at, { timestamp }),
      () => store.restoreVersion(source, { timestamp }),
      deleteAll,
      () => (random.below(8) === 0 ? store.deleteAccount('AUTH_other') : Promise.resolve()),
      () => store.maintenance.runNow('expirer'),
      () => store.maintenance.runNow('orphanSweep'),
      () => (random.below(4) === 0 ? store.maintenance.runNow('auditor') : Promise.resolve()),
    ];
    await unlessRefused(random.of(operations)());
  }
}

/** What expiry leaves: of versions the name goes, they themselves stay. */
function expire(model: Model, kind: Kind, seconds: number): void {
  const isDue = ({ deleteAt }: Kept) => deleteAt !== undefined && deleteAt <= seconds;
  const { current } = model;
  model.beside = model.beside.filter((kept) => !isDue(kept));
  if (!current || !isDue(current)) return;
  model.current = undefined;
  if (kind === 'versioned') model.beside.unshift({ ...current, deleteAt: undefined });
}

async function check(store: LevelStore, { models }: Client): Promise<void> {
  for (const [key, model] of models) {
    const container = key.slice(0, key.indexOf('/')) as Kind;
    const at = { account, container, object: key.slice(container.length + 1) };
    const opened = await store.openObject(at);
    const etag = opened && (await etagOf(opened));
    opened?.close();
    let beside: string[] = [];
    if (container === 'versioned') {
      const listed = (await store.listVersions(
        { account, container },
        { limit: 9999, prefix: at.object },
      )) as VersionEntry[];
      const others = listed.filter(({ versionId }) => versionId !== opened?.record.versionId);
      beside = others.map((entry) => (entry.isDeleteMarker ? deleted : entry.etag));
    } else if (container === 'stack' || container === 'history') {
      const length = Buffer.byteLength(at.object).toString(16).padStart(3, '0');
      const query = { limit: 9999, prefix: `${length}${at.object}/` };
      const listed = (await store.listObjects({ account, container: `old-${container}` }, query)) as ObjectEntry[];
      beside = listed.map((entry) => (entry.contentType.startsWith('application/x-deleted') ? deleted : entry.etag));
    }
    const wanted = { key, etag: model.current?.etag, beside: model.beside.map((kept) => kept.etag).sort() };
    expect({ key, etag, beside: beside.sort() }).toEqual(wanted);
  }
}

test('thousands of operations of several clients, with restarts, leave what a simple model says and nothing else', async () => {
  const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
  const random = new Random(seed);
  await withDataDir(async (directory) => {
    const dataDir = `${directory}/data`;
    const clock = new Clock(random);
    const logged: unknown[] = [];
    const open = () =>
      openLevelStore({
        dataDir,
        fsync: false,
        now: () => clock.seconds * 1000,
        log: (event) => 'err' in event && logged.push(event),
      });
    let store = await open();
    const settings = {
      plain: {},
      relaxed: { policy: 'relaxed' as const },
      versioned: { versioning: 'enabled' as const },
      stack: { archive: { container: 'old-stack', mode: 'stack' as const } },
      history: { archive: { container: 'old-history', mode: 'history' as const } },
    };
    for (const container of [...kinds, 'old-stack', 'old-history'] as Kind[]) {
      const path = { account, container };
      await store.putContainer(path, { timestamp: timestamp0, metadata: {}, settings: settings[container] ?? {} });
    }
    const everybody = Array.from({ length: clients }, (_, index) => new Client(() => store, `${index}`, random, clock));
    try {
      for (let round = 0; round < rounds; round++) {
        await Promise.all(everybody.map((client) => client.work()));
        for (const client of everybody) await check(store, client);
        clock.advance(10);
        if (round % 2 === 0) await store.maintenance.runNow('expirer');
        for (const { models } of everybody) {
          for (const [key, model] of models) expire(model, key.slice(0, key.indexOf('/')) as Kind, clock.seconds);
        }
        await store.maintenance.runNow('expirer');
        await store.maintenance.runNow('reaper');
        await store.close();
        expect(await findContradictions(dataDir)).toEqual([]);
        store = await open();
        for (const client of everybody) await check(store, client);
      }
      expect(logged).toEqual([]);
    } catch (error) {
      throw new Error(`PROPERTY_SEED=${seed} (as far as the order of clients goes)`, { cause: error });
    } finally {
      await store.close();
    }
  });
}, 120_000);
