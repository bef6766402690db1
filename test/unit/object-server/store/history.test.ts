import type { LevelStore } from '@zerocloud/object-server/store/level/level-store';
import type { ObjectListQuery } from '@zerocloud/object-server/store/object-store';
import fc from 'fast-check';
import { md5, someBytes } from '../../../contract/object-store';
import { at, filesBelow, home, put, timestamp, withDataDir, withStore } from './support';

/** What a container holds, in the plainest words. */
type Model = Map<string, { sizeBytes: number; seed: number }>;

const byUtf8 = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** A listing as a filter over all names, after the description of Swift's parameters. */
function modelListing(model: Model, query: ObjectListQuery): string[] {
  const [low, high] = query.reverse ? [query.endMarker, query.marker] : [query.marker, query.endMarker];
  const prefix = query.path === undefined ? (query.prefix ?? '') : query.path && `${query.path.replace(/\/+$/, '')}/`;
  const delimiter = query.path === undefined ? query.delimiter : '/';
  const entries: string[] = [];
  for (const name of [...model.keys()].sort(byUtf8)) {
    if (!name.startsWith(prefix) || (low && byUtf8(name, low) <= 0) || (high && byUtf8(name, high) >= 0)) continue;
    const end = delimiter ? name.indexOf(delimiter, prefix.length) : -1;
    const subdir = name.slice(0, end + (delimiter?.length ?? 0));
    if (query.path !== undefined) {
      if (name !== prefix && (end < 0 || name === subdir)) entries.push(name);
    } else if (end < 0) {
      entries.push(name);
    } else if (subdir !== low && entries.at(-1) !== `${subdir} (subdir)`) {
      entries.push(`${subdir} (subdir)`);
    }
  }
  return (query.reverse ? entries.reverse() : entries).slice(0, query.limit);
}

const piece = fc.constantFrom('a', 'b', '/', '//', '-', '--', 'é', '\ue000', '😀', '\u{10ffff}', '.');
const name = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
const size = fc.constantFrom(0, 5, 5000, 65_536, 65_537, 100_000);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('put' as const), name, size, seed: fc.nat(999) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), name }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('copy' as const), name, target: name }) },
);
const query: fc.Arbitrary<ObjectListQuery> = fc.record(
  {
    limit: fc.constantFrom(1, 2, 3, 1000),
    marker: name,
    endMarker: name,
    prefix: name,
    delimiter: fc.constantFrom('/', '-', '--', '😀', 'a/', '\u{10ffff}'),
    reverse: fc.boolean(),
    path: fc.oneof(fc.constant(''), name),
  },
  { requiredKeys: ['limit'] },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function apply(store: LevelStore, model: Model, action: Step): Promise<void> {
  if (action.kind === 'put') {
    await put(store, action.name, someBytes(action.size, action.seed));
    model.set(action.name, { sizeBytes: action.size, seed: action.seed });
  } else if (action.kind === 'delete') {
    const outcome = await store.deleteObject(at(action.name), { timestamp }).then(
      () => true,
      () => false,
    );
    expect(outcome).toBe(model.delete(action.name));
  } else {
    const source = await store.findObject(at(action.name));
    if (!source) return;
    const options = { timestamp, sourceBodyId: source.bodyId, contentType: 'a/b', metadata: {} };
    await store.copyObject(at(action.name), at(action.target), options);
    model.set(action.target, model.get(action.name)!);
  }
}

async function compare(store: LevelStore, model: Model, dataDir: string): Promise<void> {
  const bytesUsed = [...model.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  expect(await store.findContainer(home)).toMatchObject({ objectCount: model.size, bytesUsed });
  expect(await store.findAccount(home.account)).toMatchObject({
    containerCount: 1,
    objectCount: model.size,
    bytesUsed,
  });
  const bodyIds = new Set<string>();
  for (const [object, { sizeBytes, seed }] of model) {
    const record = (await store.findObject(at(object)))!;
    expect(record).toMatchObject({ sizeBytes, etag: md5(someBytes(sizeBytes, seed)) });
    if (sizeBytes > 65_536) bodyIds.add(record.bodyId);
  }
  await store.maintenance.runNow('orphanSweep');
  expect(await filesBelow(`${dataDir}/blobs`)).toHaveLength(bodyIds.size);
}

test('random histories leave what a simple model says, files and listings included', async () => {
  const seed = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.array(query, { minLength: 20, maxLength: 20 }),
      (steps, queries) =>
        withDataDir((dataDir) =>
          withStore({ dataDir }, async (store) => {
            await store.putContainer(home, { timestamp, metadata: {} });
            const model: Model = new Map();
            for (const action of steps) await apply(store, model, action);
            for (const each of queries) {
              const listed = await store.listObjects(home, each);
              const names = listed.map((entry) => ('subdir' in entry ? `${entry.subdir} (subdir)` : entry.name));
              expect(names).toEqual(modelListing(model, each));
            }
            await compare(store, model, dataDir);
          }),
        ),
    ),
    // A failure prints its seed and path; PROPERTY_SEED repeats a run.
    { seed, numRuns: 40, endOnFailure: false },
  );
}, 60_000);
