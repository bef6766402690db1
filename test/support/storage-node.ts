import { mkdtemp, rm } from 'node:fs/promises';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { openLevelStore, type StorageNode } from '@zerocloud/object-server';
import { createObjectServer } from '@zerocloud/object-server/app';
import { readObjectServerConfig } from '@zerocloud/object-server/config';
import { Leases } from '@zerocloud/object-server/leases';
import { listen } from '@zerocloud/object-server/listen';
import { createLocalNode, openLocalNode } from '@zerocloud/object-server/local-node';
import { createLogger } from '@zerocloud/object-server/program';
import { RemoteNode } from '@zerocloud/object-server/remote-node';
import { Secret } from '@zerocloud/object-server/settings';

export interface TestNode {
  node: StorageNode;
  dispose(): Promise<void>;
}

export interface TestNodeOptions {
  now: () => number;
  /** Whether sessions are needed; without them no process is forked. */
  programs: boolean;
}

const silent = createLogger('silent');

/** A storage node in this process, in a temporary directory. */
export async function openTestNode({ now, programs }: TestNodeOptions): Promise<TestNode> {
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-node-'));
  const node = programs
    ? await openLocalNode(
        readObjectServerConfig({ ZEROCLOUD_DATA_DIR: dataDir, ZEROCLOUD_MAX_SESSIONS: '2' }).storage,
        {
          log: silent,
          now,
        },
      )
    : await openStoreOnly(dataDir, now);
  return {
    node,
    dispose: async () => {
      await node.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openStoreOnly(dataDir: string, now: () => number): Promise<StorageNode> {
  const store = await openLevelStore({ dataDir, now });
  const refuse = () => Promise.reject(new Error('this node was opened without programs'));
  const execution = {
    stageBody: refuse,
    releaseBody: refuse,
    runSession: refuse,
    runGroup: refuse,
    validateProgram: refuse,
    listDaemons: refuse,
    describe: refuse,
  };
  return createLocalNode(store, execution, () => store.close());
}

export interface RemoteTestNode extends TestNode {
  node: RemoteNode;
  /** Of the object server. */
  url: string;
  key: Secret;
  leases: Leases;
  /** What the object server serves. */
  local: StorageNode;
  server: http.Server;
}

/** The same behind the storage protocol. */
export async function openRemoteTestNode(options: TestNodeOptions): Promise<RemoteTestNode> {
  const local = await openTestNode(options);
  const leases = new Leases();
  const key = new Secret('key-of-a-test-node');
  const server = createObjectServer({ node: local.node, leases, key, log: silent });
  const { url, close } = await listen(server, { host: '127.0.0.1', port: 0 });
  const node = new RemoteNode({ url, key, timeoutMs: 10_000 });
  return {
    node,
    url,
    key,
    leases,
    local: local.node,
    server,
    dispose: async () => {
      await node.close();
      await close();
      leases.close();
      await local.dispose();
    },
  };
}
