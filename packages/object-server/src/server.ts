import type { Logger } from 'pino';
import { createObjectServer } from './app';
import type { ObjectServerConfig } from './config';
import { Leases } from './leases';
import { listen } from './listen';
import { openLocalNode } from './local-node';
import type { StorageNode } from './storage-node';

export interface RunningObjectServer {
  url: string;
  /** The node it serves, for tests that look behind the protocol. */
  node: StorageNode;
  close(): Promise<void>;
}

/** Opens the storage node and serves it over the storage protocol. */
export async function startObjectServer(config: ObjectServerConfig, log: Logger): Promise<RunningObjectServer> {
  const node = await openLocalNode(config.storage, { log });
  const leases = new Leases();
  try {
    const server = createObjectServer({ node, leases, key: config.nodeKey, log });
    const { url, close } = await listen(server, config);
    return {
      url,
      node,
      close: async () => {
        await close();
        leases.close();
        await node.close();
      },
    };
  } catch (error) {
    leases.close();
    await node.close();
    throw error;
  }
}
