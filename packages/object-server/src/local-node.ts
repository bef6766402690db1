import path from 'node:path';
import { builtInImages, configuredImages, createSandbox } from '@zerocloud/sandbox';
import type { Logger } from 'pino';
import type { StorageConfig } from './config';
import { createGroupRunner, createSessionRunner } from './execute';
import { FairSlots } from './fair-slots';
import { Staging } from './staging';
import type { StorageNode } from './storage-node';
import { openLevelStore } from './store/level/level-store';
import type { ObjectStore } from './store/object-store';

export interface LocalNodeOptions {
  log: Logger;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

/** The part of a storage node that is no store: staged bodies and sessions. */
type Execution = Omit<StorageNode, keyof ObjectStore>;

/** Outputs of sessions up to this size come back in memory, as bodies of this size are stored. */
const inlineOutputBytes = 65_536;

/**
 * Opens the store in the data directory and starts the sandbox beside it: a storage node in this process. Rejects
 * with a sentence that says what to do when the directory is in use or unusable, or a system image is.
 */
export async function openLocalNode(config: StorageConfig, { log, now }: LocalNodeOptions): Promise<StorageNode> {
  const logEvent = (event: Record<string, unknown>, message: string) =>
    'err' in event ? log.error(event, message) : log.info(event, message);
  const store = await openLevelStore({
    dataDir: config.dataDir,
    expirerIntervalMs: config.expirerIntervalS * 1000,
    log: logEvent,
    now,
  });
  try {
    // The store holds the directory's lock by now, so the slots of nobody else are emptied here.
    const sandbox = await createSandbox({
      workDir: path.join(config.dataDir, 'slots'),
      maxSessions: config.maxSessions + config.reservedSessions,
      maxGroupSessions: config.connectedSessions,
      systemImages: [...builtInImages({ python: config.pythonImage }), ...configuredImages(config.systemImages)],
      inlineOutputBytes,
      jail: config.jail,
      maxFileBytes: config.maxFileBytes,
      maxMemoryBytes: config.maxMemoryBytes,
      daemons: config.daemons,
      log: logEvent,
    });
    const staging = new Staging({
      stagingPath: () => store.stagingPath(),
      takeSpace: (sizeBytes) => store.takeSpace(sizeBytes),
      ...(config.inflatedImageBytes !== undefined && { inflatedBytes: config.inflatedImageBytes }),
    });
    const slots = new FairSlots({
      slots: config.maxSessions,
      reserved: config.reservedSessions,
      maxWaiting: config.maxQueuedSessions,
    });
    const groupSlots = new FairSlots({
      slots: config.connectedSessions,
      reserved: 0,
      maxWaiting: config.maxQueuedSessions,
    });
    const runGroup = createGroupRunner({ store, sandbox, staging, slots: groupSlots });
    const { runSession, validateProgram } = createSessionRunner({ store, sandbox, staging, slots });
    const description = {
      systemImages: [...sandbox.systemImages.keys()],
      maxSessions: config.maxSessions,
      maxGroupSessions: config.connectedSessions,
      jail: sandbox.jail,
    };
    const execution: Execution = {
      stageBody: (body, options) => staging.stageBody(body, options),
      releaseBody: (id) => staging.releaseBody(id),
      runSession,
      runGroup,
      validateProgram,
      describe: async () => description,
      listDaemons: async (account) => sandbox.daemons(account).map(({ name: _name, ...daemon }) => daemon),
    };
    return createLocalNode(store, execution, async () => {
      await sandbox.close();
      staging.close();
      await store.close();
    });
  } catch (error) {
    await store.close();
    throw error;
  }
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
    listVersions: (path, query) => store.listVersions(path, query),
    findObject: (path) => store.findObject(path),
    openObject: (path) => store.openObject(path),
    putObject: (path, body, options) => store.putObject(path, body, options),
    copyObject: (source, target, options) => store.copyObject(source, target, options),
    appendObject: (path, data, options) => store.appendObject(path, data, options),
    updateObject: (path, options) => store.updateObject(path, options),
    deleteObject: (path, options) => store.deleteObject(path, options),
    restoreVersion: (path, options) => store.restoreVersion(path, options),
    ...execution,
    close,
  };
}
