import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { StorageNode } from '@zerocloud/object-server';
import { readObjectServerConfig } from '@zerocloud/object-server/config';
import { createLogger } from '@zerocloud/object-server/program';
import { startObjectServer } from '@zerocloud/object-server/server';
import { type ProxyConfig, readServerConfig } from '@zerocloud/proxy/config';
import { startServer as startProxy } from '@zerocloud/proxy/standalone';

export interface ServerOptions {
  /** Proxy and object server as two servers that speak the storage protocol, in this process. */
  split?: boolean;
  /** As `ZEROCLOUD_USERS`; several users of two accounts by default. */
  users?: string;
  /** Further settings, with or without the prefix: `{ MAX_FILE_SIZE: '1000' }`. */
  env?: Record<string, string>;
  /** Last changes to the proxy's config, for what no setting reaches. */
  config?: Partial<ProxyConfig>;
  /** Kept when given; else a temporary directory that `close` removes. */
  dataDir?: string;
  /** Log level on stderr; `silent` by default. */
  log?: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface TestServer {
  url: string;
  host: string;
  port: number;
  dataDir: string;
  /** URL of the object server, if there is one: `NODE_URL` of another proxy before it. */
  nodeUrl?: string;
  /** The storage node as the proxy sees it. */
  node: StorageNode;
  /** The user of `test` that `token()` logs in by default. */
  defaultUser: string;
  /** `http://…/v1/AUTH_<account>`; `test` by default. */
  storageUrl(account?: string): string;
  /** Logs in; `test:tester` by default. Tokens are asked for once per user. */
  token(user?: string, key?: string): Promise<string>;
  /** `fetch` of a path below the URL (or a whole URL) with a token of the default user unless the headers name one (`''`: none). */
  request(target: string, init?: RequestInit): Promise<Response>;
  /** Sends bytes over a bare connection and resolves with everything that came back until the other side closed it. */
  raw(bytes: string | Uint8Array, options?: { timeoutMs?: number }): Promise<string>;
  /** A bare connection, for tests that send piece by piece. */
  connect(): Promise<net.Socket>;
  close(): Promise<void>;
}

/** The users of `startServer`, those of Swift's own functional tests among them. */
const testUsers = [
  'test:tester=testing .admin',
  'test:tester3=testing3',
  'test2:tester2=testing2 .admin',
  'admin:admin=admin .admin .reseller_admin',
].join(';');

/** What proxies and object servers of the tests know each other by. */
export const testNodeKey = 'key-of-a-test-server';

/** A whole Zerocloud on a free port of loopback with a fresh data directory, in this process. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const temporary = options.dataDir === undefined ? await mkdtemp(path.join(os.tmpdir(), 'zerocloud-')) : undefined;
  const dataDir = options.dataDir ?? temporary!;
  const level = options.log ?? 'silent';
  const common = {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: dataDir,
    ZEROCLOUD_USERS: options.users ?? testUsers,
    ...withPrefix(options.env ?? {}),
  };
  const log = createLogger(level);
  const nodeKey = { ZEROCLOUD_NODE_KEY: testNodeKey };
  const storage = options.split
    ? await startObjectServer(readObjectServerConfig({ ...common, ...nodeKey }), log)
    : undefined;
  const config = readServerConfig(storage ? { ...common, ...nodeKey, ZEROCLOUD_NODE_URL: storage.url } : common);
  const proxy = { ...config.proxy, ...options.config };
  const running = await startProxy({ ...config, proxy }, { log, now: options.now });
  const { hostname: host, port } = new URL(running.url);
  const tokens = new Map<string, Promise<string>>();
  const address = { host, port: Number(port) };
  const keys = new Map(proxy.users.map(({ account, user, key }) => [`${account}:${user}`, key]));
  const defaultUser = [...keys.keys()][0]!;

  const server: TestServer = {
    url: running.url,
    ...address,
    dataDir,
    nodeUrl: storage?.url,
    node: running.node,
    defaultUser,
    storageUrl: (account = 'test') => `${running.url}/v1/AUTH_${account}`,
    token(user = defaultUser, key = keys.get(user) ?? '') {
      const known = tokens.get(`${user} ${key}`);
      const token = known ?? logIn(running.url, user, key);
      tokens.set(`${user} ${key}`, token);
      return token;
    },
    async request(target, init = {}) {
      const headers = new Headers(init.headers);
      if (!headers.has('x-auth-token')) {
        headers.set('x-auth-token', await server.token());
      } else if (headers.get('x-auth-token') === '') {
        headers.delete('x-auth-token');
      }
      return fetch(new URL(target, running.url), { ...init, headers });
    },
    async raw(bytes, { timeoutMs = 10_000 } = {}) {
      const socket = await server.connect();
      socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no end of the answer in ${timeoutMs} ms`)));
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.write(bytes);
      await once(socket, 'close').catch((error) => {
        // A server that refuses may close while we still send; what it said before that counts.
        if (chunks.length === 0) throw error;
      });
      return Buffer.concat(chunks).toString();
    },
    async connect() {
      const socket = net.connect(address);
      await once(socket, 'connect');
      return socket;
    },
    async close() {
      await running.close();
      await storage?.close();
      if (temporary) {
        await rm(temporary, { recursive: true, force: true });
      }
    },
  };
  return server;
}

async function logIn(url: string, user: string, key: string): Promise<string> {
  const response = await fetch(`${url}/auth/v1.0`, { headers: { 'x-auth-user': user, 'x-auth-key': key } });
  const token = response.headers.get('x-auth-token');
  if (!response.ok || !token) {
    throw new Error(`${user} cannot log in: ${response.status}`);
  }
  return token;
}

function withPrefix(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name.replace(/^(ZEROCLOUD_)?/, 'ZEROCLOUD_'), value]),
  );
}
