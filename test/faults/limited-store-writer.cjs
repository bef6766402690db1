/**
 * Writes 3,000 objects to a store in a process that may not let any file grow beyond a limit, so that the database's
 * log fails again and again; prints the names that were acknowledged, and how many writes failed, as JSON.
 */
const { openLevelStore } = require('@zerocloud/object-server/store/level/level-store');

const [dataDir] = process.argv.slice(2);
const home = { account: 'AUTH_test', container: 'c' };
const timestamp = '1700000000.00000';
const body = Buffer.alloc(8000, 'compresses well');

async function* once(data) {
  yield data;
}

async function main() {
  const store = await openLevelStore({ dataDir, fsync: false });
  await store.putContainer(home, { timestamp, metadata: {} });
  const stored = [];
  const refusals = {};
  let next = 0;
  const work = async () => {
    while (next < 3000) {
      const object = `o${next++}`;
      const data = next % 100 === 0 ? Buffer.alloc(100_000, object) : body;
      const options = { timestamp, contentType: 'text/plain', metadata: {}, maxBytes: data.length };
      await store.putObject({ ...home, object }, once(data), options).then(
        () => stored.push(object),
        (error) => {
          refusals[error.code] = (refusals[error.code] ?? 0) + 1;
        },
      );
      await store.findObject({ ...home, object });
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  await store.close();
  process.stdout.write(JSON.stringify({ stored, refusals }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
