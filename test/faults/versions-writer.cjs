/**
 * Writes to containers that keep versions until it is killed: `node versions-writer.cjs <dataDir> <journal>`. Every line of
 * the journal is a JSON tuple: ["begin" | "done", container, name, etag of the new body, or null for a deletion].
 */
const { createHash, randomBytes, randomInt } = require('node:crypto');
const fs = require('node:fs');
const { openLevelStore } = require('@zerocloud/object-server/store/level/level-store');

const account = 'AUTH_test';
const containers = ['versioned', 'stack', 'history', 'relaxed'];
const namesPerContainer = 3;
const [dataDir, journalPath] = process.argv.slice(2);
const journal = fs.openSync(journalPath, 'a');

/** Written at once: what was acknowledged must not be lost with this process. */
const note = (...line) => fs.writeSync(journal, `${JSON.stringify(line)}\n`);

let ticks = Date.now() * 100;
const nextTimestamp = () => {
  ticks = Math.max(Date.now() * 100, ticks + 1);
  return `${Math.floor(ticks / 100_000)}.${String(ticks % 100_000).padStart(5, '0')}`;
};

async function* inPieces(data) {
  for (let offset = 0; offset < data.length; offset += 30_000) yield data.subarray(offset, offset + 30_000);
}

async function put(store, path) {
  const data = randomBytes(randomInt(4) === 0 ? randomInt(65_537, 300_000) : randomInt(1, 5_000));
  const etag = createHash('md5').update(data).digest('hex');
  note('begin', path.container, path.object, etag);
  const options = { timestamp: nextTimestamp(), contentType: 'a/b', metadata: {}, maxBytes: data.length };
  await store.putObject(path, inPieces(data), options);
  note('done', path.container, path.object, etag);
}

async function remove(store, path) {
  if (!(await store.findObject(path))) return;
  note('begin', path.container, path.object, null);
  await store.deleteObject(path, { timestamp: nextTimestamp() });
  note('done', path.container, path.object, null);
}

/** One writer to each name, so that the order of its versions is that of the journal. */
async function work(store, path) {
  for (;;) {
    if (randomInt(3) === 0) await remove(store, path);
    else await put(store, path);
  }
}

async function main() {
  const store = await openLevelStore({ dataDir, relaxedSyncMs: 100 });
  const create = (container, settings) =>
    store.putContainer({ account, container }, { timestamp: nextTimestamp(), metadata: {}, settings });
  await create('old-stack', {});
  await create('old-history', {});
  await create('versioned', { versioning: 'enabled' });
  await create('stack', { archive: { container: 'old-stack', mode: 'stack' } });
  await create('history', { archive: { container: 'old-history', mode: 'history' } });
  await create('relaxed', { policy: 'relaxed' });
  for (const container of containers) {
    for (let index = 0; index < namesPerContainer; index++) {
      work(store, { account, container, object: `name-${index}` }).catch(fail);
    }
  }
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}

main().catch(fail);
