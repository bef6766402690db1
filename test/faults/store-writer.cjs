/**
 * Writes to a store from many sides until it is killed: `node store-writer.cjs <dataDir> <journal> <round>`. Every
 * line of the journal is a JSON tuple: ["begin" | "done", name, etag of the new body, or null for a deletion].
 */
const { createHash, randomBytes, randomInt } = require('node:crypto');
const fs = require('node:fs');
const { openLevelStore } = require('@zerocloud/object-server/store/level/level-store');

const workerCount = 8;
const namesPerWorker = 5;
const [dataDir, journalPath, round] = process.argv.slice(2);
const journal = fs.openSync(journalPath, 'a');
const home = { account: 'AUTH_test', container: 'c' };
const timestamp = '1700000000.00000';

/** Written at once: what was acknowledged must not be lost with this process. */
const note = (...line) => fs.writeSync(journal, `${JSON.stringify(line)}\n`);

async function* inPieces(data) {
  for (let offset = 0; offset < data.length; offset += 30_000) yield data.subarray(offset, offset + 30_000);
}

async function putSomething(store, name) {
  const data = randomBytes(randomInt(4) === 0 ? randomInt(65_537, 500_000) : randomInt(10_000));
  const etag = createHash('md5').update(data).digest('hex');
  note('begin', name, etag);
  const options = { timestamp, contentType: `round/${round}`, metadata: {}, maxBytes: data.length };
  await store.putObject({ ...home, object: name }, inPieces(data), options);
  note('done', name, etag);
}

async function copySomething(store, source, name) {
  const record = await store.findObject({ ...home, object: source });
  if (!record) return;
  note('begin', name, record.etag);
  const options = { timestamp, sourceBodyId: record.bodyId, contentType: `round/${round}`, metadata: {} };
  await store.copyObject({ ...home, object: source }, { ...home, object: name }, options);
  note('done', name, record.etag);
}

async function deleteSomething(store, name) {
  if (!(await store.findObject({ ...home, object: name }))) return;
  note('begin', name, null);
  await store.deleteObject({ ...home, object: name }, { timestamp });
  note('done', name, null);
}

async function work(store, worker) {
  const anyName = () => `w${worker}/${randomInt(namesPerWorker)}`;
  for (;;) {
    const dice = randomInt(10);
    if (dice < 6) await putSomething(store, anyName());
    else if (dice < 8) await copySomething(store, anyName(), anyName());
    else await deleteSomething(store, anyName());
  }
}

async function main() {
  const store = await openLevelStore({ dataDir });
  await store.putContainer(home, { timestamp, metadata: {} });
  await Promise.all(Array.from({ length: workerCount }, (_, worker) => work(store, worker)));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
