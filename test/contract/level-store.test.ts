import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openLevelStore } from '@zerocloud/object-server/store/level/level-store';
import { describeObjectStore } from './object-store';

describeObjectStore('LevelStore', async ({ now }) => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'zerocloud-store-'));
  const store = await openLevelStore({ dataDir, now });
  return {
    store,
    dispose: async () => {
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
});
