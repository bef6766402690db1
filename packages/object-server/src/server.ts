import http from 'node:http';
import type { Logger } from 'pino';
import { createObjectServerApp } from './app';
import type { ObjectServerConfig } from './config';
import { Leases } from './leases';
import { listen } from './listen';
import { openLocalNode } from './local-node';
import type { StorageNode } from './storage-node';
import { maxHeaderBytes } from './wire/protocol';

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
    const server = createServer(createObjectServerApp({ node, leases, key: config.nodeKey, log }).callback());
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

/** Uploads may take any time (the proxy limits its clients), idle connections outlive the proxy's own idea of idle. */
function createServer(handler: http.RequestListener): http.Server {
  const limits = { maxHeaderSize: maxHeaderBytes, requestTimeout: 0, headersTimeout: 60_000, keepAliveTimeout: 75_000 };
  return http.createServer(limits, handler);
}
