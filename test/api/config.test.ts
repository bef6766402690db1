import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { settings, settingsTable } from '@zerocloud/object-server/settings';
import { parse } from 'yaml';
import { killStartedProcesses, logIn, objectServerMain, proxyMain, root, startProcess } from '../support/process';

afterEach(killStartedProcesses);

describe.each([
  ['npm start', proxyMain],
  ['the object server', objectServerMain],
])('%s', (_, main) => {
  test('--help prints the settings it reads and starts nothing', async () => {
    const { code, stdout, stderr } = await startProcess(main, {}, ['--help']).ended;
    expect([code, stderr]).toEqual([0, '']);
    for (const { name, readBy, sentence } of Object.values(settings)) {
      const isRead = readBy.includes('object-server') || main === proxyMain;
      expect([name, stdout.includes(`  ${name}\n      ${sentence}\n`)]).toEqual([name, isRead]);
    }
  });

  test('refuses an argument', async () => {
    const { code, stderr } = await startProcess(main, {}, ['--port=1']).ended;
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^Unknown argument --port=1; .*\n$/)]);
  });

  test('lists all problems of its environment and exits with 1', async () => {
    const env = {
      ZEROCLOUD_PORT: 'high',
      ZEROCLOUD_MAX_SESSIONS: '0',
      ZEROCLOUD_USER: 'a:b=c',
      ZEROCLOUD_HOST: '0.0.0.0',
    };
    const { code, stdout, stderr } = await startProcess(main, env).ended;
    expect([code, stdout]).toEqual([1, '']);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe('4 settings are wrong:');
    expect(stderr).toContain('ZEROCLOUD_USER is not a setting, did you mean ZEROCLOUD_USERS?');
    expect(stderr).not.toContain('at ');
  });
});

test('the manual lists the settings as they are (`npm run docs` writes them)', () => {
  const manual = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
  expect(manual).toContain(`\n${settingsTable()}\n`);
});

interface Service {
  command: string[];
  environment: Record<string, string>;
}

describe('docker-compose.yml', () => {
  const compose = parse(readFileSync(path.join(root, 'docker-compose.yml'), 'utf8'));
  const services = compose.services as Record<'proxy' | 'object-server', Service>;
  const given = { ZEROCLOUD_NODE_KEY: 'the-key-of-a-cluster', ZEROCLOUD_USERS: 'team:alice=secret .admin' };

  /** The environment of a service as compose would give it. */
  const environmentOf = ({ environment }: Service) =>
    Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        value.replace(/\$\{(\w+):\?[^}]*\}/g, (_, variable: keyof typeof given) => given[variable]),
      ]),
    );

  test('asks for key and users instead of having some', () => {
    expect(services.proxy.environment.ZEROCLOUD_USERS).toMatch(/^\$\{ZEROCLOUD_USERS:\?/);
    for (const { environment } of Object.values(services)) {
      expect(environment.ZEROCLOUD_NODE_KEY).toMatch(/^\$\{ZEROCLOUD_NODE_KEY:\?/);
    }
  });

  test('shows only the proxy to the world', () => {
    expect(Object.keys(services)).toEqual(['object-server', 'proxy']);
    expect(services['object-server']).not.toHaveProperty('ports');
    expect(compose.services['object-server'].networks).toEqual(['storage']);
    expect(compose.networks.storage).toEqual({ internal: true });
  });

  test('its commands serve with its environment', async () => {
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-compose-'));
    const host = { ZEROCLOUD_HOST: '127.0.0.1', ZEROCLOUD_PORT: '0' };
    const run = ({ command: [node, main, ...args] }: Service, env: Record<string, string>) => {
      expect(node).toBe('node');
      return startProcess(main!, env, args);
    };
    const storage = run(services['object-server'], {
      ...environmentOf(services['object-server']),
      ...host,
      ZEROCLOUD_DATA_DIR: dataDir,
    });
    const proxy = run(services.proxy, {
      ...environmentOf(services.proxy),
      ...host,
      ZEROCLOUD_NODE_URL: await storage.url(),
    });
    const { request } = await logIn(await proxy.url(), 'team:alice', 'secret');
    expect((await request('/c', { method: 'PUT' })).status).toBe(201);
    for (const server of [proxy, storage]) {
      server.child.kill('SIGTERM');
      expect((await server.ended).code).toBe(0);
    }
    await rm(dataDir, { recursive: true });
  });

  test('its ports and health checks fit the Dockerfile', async () => {
    const dockerfile = readFileSync(path.join(root, 'Dockerfile'), 'utf8');
    const ports = Object.values(services).map(({ environment }) => environment.ZEROCLOUD_PORT);
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE ${ports.reverse().join(' ')}$`, 'm'));
    for (const [, copied] of dockerfile.matchAll(/^COPY --from=build \/zerocloud\/(\S+)/gm)) {
      expect([copied, existsSync(path.join(root, copied!))]).toEqual([copied, true]);
    }
    const [, ...check] = JSON.parse(/^HEALTHCHECK .* CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
    const dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-health-'));
    const server = startProcess(objectServerMain, { ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: dataDir });
    const { port } = new URL(await server.url());
    expect((await startProcess(check[0]!, { ZEROCLOUD_PORT: port }).ended).code).toBe(0);
    server.child.kill('SIGTERM');
    await server.ended;
    expect((await startProcess(check[0]!, { ZEROCLOUD_PORT: port }).ended).code).toBe(1);
    await rm(dataDir, { recursive: true });
  });
});
