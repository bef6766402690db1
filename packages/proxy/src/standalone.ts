import { isStorageError, type StorageNode } from '@zerocloud/object-server';
import { listen } from '@zerocloud/object-server/listen';
import { openLocalNode } from '@zerocloud/object-server/local-node';
import { RemoteNode } from '@zerocloud/object-server/remote-node';
import type { Logger } from 'pino';
import { createApp } from './app';
import type { NodeConfig, ServerConfig } from './config';
import { createServer } from './server';

export interface RunningServer {
  url: string;
  /** The storage behind it, for tests that look behind the API. */
  node: StorageNode;
  /** Finishes running requests, then closes the node. */
  close(): Promise<void>;
}

export interface ServerOptions {
  log: Logger;
  /** Milliseconds since the epoch; injected so that tests can move time. */
  now?: () => number;
}

/** Starts the proxy with its storage node: in this process, or the one at `ZEROCLOUD_NODE_URL`. */
export async function startServer(
  config: ServerConfig,
  { log, now = Date.now }: ServerOptions,
): Promise<RunningServer> {
  const node = await openNode(config.node, { log, now });
  try {
    const stop = new AbortController();
    const deps = { node, config: config.proxy, log, now, stopping: stop.signal };
    const { url, close } = await listen(createServer(createApp(deps), config.proxy), config.proxy);
    return {
      url,
      node,
      close: async () => {
        stop.abort();
        await close();
        await node.close();
      },
    };
  } catch (error) {
    await node.close();
    throw error;
  }
}

function openNode(config: NodeConfig, options: { log: Logger; now: () => number }): Promise<StorageNode> {
  return config.kind === 'local' ? openLocalNode(config.storage, options) : openRemoteNode(config, options.log);
}

/** A node that does not answer yet may start later than its proxy; one that refuses the proxy never will. */
async function openRemoteNode(config: NodeConfig & { kind: 'remote' }, log: Logger): Promise<StorageNode> {
  const node = new RemoteNode({ url: config.url, key: config.key, timeoutMs: config.timeoutS * 1000 });
  try {
    await node.describe();
  } catch (error) {
    if (!isStorageError(error, 'unavailable')) {
      await node.close();
      throw new Error(`The object server at ${config.url} refuses this proxy: ${(error as Error).message}`);
    }
    log.warn({ node: config.url }, 'the object server does not answer yet');
  }
  return node;
}
