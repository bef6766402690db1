import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import type { ObjectEntry } from '@zerocloud/object-server/store/object-store';
import { blobIds } from '../support/stored-bodies';

const home = { account: 'AUTH_test', container: 'c' };

/** In blocks of 1024 bytes: the database's log reaches this several times. */
const fileLimit = 6000;

test('a store goes on after the database failed to write, and keeps what it acknowledged', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'zerocloud-limit-'));
  try {
    const writer = path.join(__dirname, 'limited-store-writer.cjs');
    const { stdout } = await promisify(execFile)(
      'bash',
      ['-c', `ulimit -f ${fileLimit}; exec "$@"`, 'bash', process.execPath, writer, dataDir],
      { maxBuffer: 2 ** 20 },
    );
    const { stored, refusals } = JSON.parse(stdout) as { stored: string[]; refusals: Record<string, number> };
    expect(Object.keys(refusals)).toEqual(['unavailable']);
    expect(stored.length).toBeGreaterThan(2000);

    const store = await openLevelStore({ dataDir });
    const listed = (await store.listObjects(home, { limit: 10_000 })) as ObjectEntry[];
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(stored));
    const bytesUsed = listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(await store.findContainer(home)).toMatchObject({ objectCount: listed.length, bytesUsed });
    await store.maintenance.runNow('orphanSweep');
    const largeCount = listed.filter(({ sizeBytes }) => sizeBytes > 65_536).length;
    expect(await blobIds(dataDir)).toHaveLength(largeCount);
    await store.close();
  } finally {
    await rm(dataDir, { recursive: true });
  }
}, 60_000);
