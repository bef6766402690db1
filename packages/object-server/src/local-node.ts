import type { Logger } from 'pino';
import type { StorageConfig } from './config';
import { StorageError } from './errors';
import { Staging } from './staging';
import type { StorageNode } from './storage-node';
import type { BodyFiles } from './store/body-files';
import { openLevelStore } from './store/level/level-store';
import type { ObjectStore } from './store/object-store';

export interface LocalNodeOptions {
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** The part of a storage node that is no store: staged bodies and sessions. */
type Execution = Omit<StorageNode, keyof ObjectStore>;

/** Opens the store in the data directory, and a storage node in this process over it. */
export async function openLocalNode(config: StorageConfig, { log, now }: LocalNodeOptions): Promise<StorageNode> {
  const store = await openLevelStore({
    dataDir: config.dataDir,
    expirerIntervalMs: config.expirerIntervalS * 1000,
    log: (event, message) => log.info(event, message),
    now,
  });
  const staging = new Staging({ stagingPath: () => (store as BodyFiles).stagingPath() });
  const execution: Execution = {
    stageBody: (body, options) => staging.stageBody(body, options),
    releaseBody: (id) => staging.releaseBody(id),
    runSession: () => Promise.reject(new StorageError('noSlot', 'This node runs no programs.')),
    describe: async () => ({ systemImages: [], maxSessions: 0 }),
  };
  return createLocalNode(store, execution, async () => {
    staging.close();
    await store.close();
  });
}

/** Joins a store and what runs beside it; every call goes straight through. */
export function createLocalNode(store: ObjectStore, execution: Execution, close: () => Promise<void>): StorageNode {
  return {
    putAccount: (account, options) => store.putAccount(account, options),
    findAccount: (account) => store.findAccount(account),
    isAccountDeleted: (account) => store.isAccountDeleted(account),
    updateAccount: (account, options) => store.updateAccount(account, options),
    deleteAccount: (account) => store.deleteAccount(account),
    listContainers: (account, query) => store.listContainers(account, query),
    putContainer: (path, options) => store.putContainer(path, options),
    findContainer: (path) => store.findContainer(path),
    updateContainer: (path, options) => store.updateContainer(path, options),
    deleteContainer: (path) => store.deleteContainer(path),
    listObjects: (path, query) => store.listObjects(path, query),
    findObject: (path) => store.findObject(path),
    openObject: (path) => store.openObject(path),
    putObject: (path, body, options) => store.putObject(path, body, options),
    copyObject: (source, target, options) => store.copyObject(source, target, options),
    updateObject: (path, options) => store.updateObject(path, options),
    deleteObject: (path, options) => store.deleteObject(path, options),
    ...execution,
    close,
  };
}
