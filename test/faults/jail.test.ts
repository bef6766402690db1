import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { lineFd } from '@zerocloud/sandbox/executor/protocol';
import { Slot } from '@zerocloud/sandbox/executor/slot';
import { createJail, inspectHost, type Jail, killJailed } from '@zerocloud/sandbox/jail/jail';
import { findTool } from '@zerocloud/sandbox/jail/tools';
import { descendantPids, isAlive } from '../support/sandbox';
import { until } from '../support/until';

/**
 * The escape drill: JavaScript instead of WebAssembly, in a process started as executors are, shows what a guest would reach
 * if it broke the engine. Once as it is, and once without Node's permission model, which such a guest would have left behind.
 */

const drill = path.join(__dirname, '../support/escape-drill.cjs');
const limits = { fileBytes: 8 * 1024 ** 2, dataBytes: 1024 ** 3 };
const isRoot = process.getuid!() === 0;
const missing = findTool('bwrap') ? undefined : 'bubblewrap is not installed';
const describeJail = missing === undefined ? describe : describe.skip;

type Outcomes = Record<string, string | number>;
type Child = ReturnType<Jail['spawn']>;

let directory: string;
let jail: Jail;
let tcp: net.Server;
let unix: net.Server;
const children: Child[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'jail-'));
  await chmod(directory, 0o755);
  if (missing !== undefined) return;
  jail = createJail('full', await inspectHost(limits));
  tcp = net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  unix = net.createServer((socket) => socket.destroy()).listen(path.join(directory, 'socket'));
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening')]);
  await mkdir(path.join(directory, 'data'));
  writeFileSync(path.join(directory, 'data', 'blob'), 'secret', { mode: 0o644 });
});

afterAll(async () => {
  for (const child of children) killJailed(child);
  tcp?.close();
  unix?.close();
  await rm(directory, { recursive: true, force: true });
});

async function createSlot(number: number, inJail = jail): Promise<Slot> {
  const slot = new Slot(path.join(directory, `slot-${number}`), directory, inJail.slotUser(number));
  slot.createSync();
  const input = path.join(directory, `input-${number}`);
  // As the store keeps bodies: for its own user only.
  writeFileSync(input, `input ${number}`, { mode: 0o600 });
  await slot.link(input, 'input');
  for (const output of ['output', 'large', 'allocated']) slot.reserve(output);
  return slot;
}

async function runDrill(
  slot: Slot,
  request: Record<string, unknown>,
  permissions?: 'off',
  inJail = jail,
): Promise<Outcomes> {
  const child = inJail.spawn(
    {
      entry: drill,
      args: [JSON.stringify({ inDirectory: slot.inDirectory, outDirectory: slot.outDirectory, ...request })],
      nodeFlags: [],
      readable: [],
      inDirectory: slot.inDirectory,
      outDirectory: slot.outDirectory,
      user: slot.user,
      permissions,
    },
    ['pipe'],
  );
  children.push(child);
  let stderr = '';
  child.stderr!.on('data', (chunk) => {
    stderr += chunk;
  });
  const outcomes = await Promise.race([
    once(createInterface(child.stdio[lineFd] as Readable), 'line').then(([line]) => JSON.parse(line) as Outcomes),
    once(child, 'close').then(() => Promise.reject(new Error(`the drill died: ${stderr}`))),
  ]);
  return outcomes;
}

/** A drill of which only the process itself matters. */
const harmless = { secrets: {}, ownFile: '/x', serverPid: 1, neighbourPid: 1, tcpPort: 1, unixPath: '/x' };

const variants: [string, 'off' | undefined][] = [
  ['as executors are', undefined],
  ['without the permission model', 'off'],
];

describeJail.each(variants)(
  `an executor with a broken engine, ${missing ?? 'in the full jail'}, %s`,
  (_variant, permissions) => {
    const number = permissions === 'off' ? 2 : 1;
    const denied = /^(ENOENT|EACCES|EPERM|EROFS|ENOSYS|ESRCH|EINVAL|ERR_ACCESS_DENIED|ERR_SYSTEM_ERROR)$/;
    let outcomes: Outcomes;
    let slot: Slot;

    beforeAll(async () => {
      const neighbour = await createSlot(number + 10);
      await runDrill(neighbour, {
        secrets: {},
        ownFile: '/x',
        serverPid: 1,
        neighbourPid: 1,
        tcpPort: 1,
        unixPath: '/x',
      });
      slot = await createSlot(number);
      outcomes = await runDrill(
        slot,
        {
          secrets: {
            'the data directory': path.join(directory, 'data', 'blob'),
            'a neighbour’s input': path.join(neighbour.inDirectory, 'input'),
            'a neighbour’s output': path.join(neighbour.outDirectory, 'output'),
            '/etc/passwd': '/etc/passwd',
            'its own process': '/proc/self/environ',
            'the server’s environment': `/proc/${process.pid}/environ`,
            'the test beside the drill': __filename,
          },
          serverPid: process.pid,
          neighbourPid: children.at(-1)!.pid,
          tcpPort: (tcp.address() as net.AddressInfo).port,
          unixPath: path.join(directory, 'socket'),
          ownFile: require.resolve('@zerocloud/sandbox/executor/worker'),
        },
        permissions,
      );
    });

    test('reads its input and writes its output', () => {
      expect(outcomes).toMatchObject({
        'read its input': `input ${number}`,
        'list its inputs': 'input',
        'write its output': 'done',
      });
    });

    test.each([
      'the data directory',
      'a neighbour’s input',
      'a neighbour’s output',
      '/etc/passwd',
      'its own process',
      'the server’s environment',
      'the test beside the drill',
    ])('cannot read %s', (secret) => expect(outcomes[`read ${secret}`]).toMatch(denied));

    test.each(['/proc', '/dev', '/etc', '/home', '/root', '/sys'])('has no %s', (place) => {
      expect(outcomes[`list ${place}`]).toMatch(denied);
    });

    test('has a root directory without anything but the ways to its files', () => {
      const allowed = new Set([
        'lib',
        'lib64',
        'usr',
        ...[directory, drill, process.execPath].map((one) => one.split('/')[1]!),
      ]);
      const root = String(outcomes['list /']);
      expect(root.split(',').filter((one) => !allowed.has(one))).toEqual([]);
    });

    test.each(['connect over TCP', 'connect over a Unix socket', 'listen', 'send a datagram'])('cannot %s', (what) => {
      expect(outcomes[what]).toMatch(denied);
    });

    test('sees no network', () => expect(outcomes['see the network']).toMatch(denied));

    test('cannot start a process', () => expect(outcomes['start a process']).toMatch(denied));

    test.each([
      'create /x',
      'create /tmp/x',
      'create in',
      'create another output',
      'create a file without a name',
      `create slot-${number}`,
    ])('cannot %s', (what) => {
      expect(outcomes[what]).toMatch(denied);
    });

    test.each([
      'overwrite its input',
      'make its input writable',
      'remove its input',
      'overwrite the sandbox package',
      'overwrite Node',
      'leave a symbolic link',
      'leave a hard link',
      'leave a directory',
      'leave a set-user-id file',
    ])('cannot %s', async (what) => {
      expect(outcomes[what]).toMatch(denied);
      expect(await readFile(path.join(directory, `input-${number}`), 'utf8')).toBe(`input ${number}`);
    });

    test('leaves the files that were made for its outputs and nothing anywhere else', async () => {
      expect(readdirSync(slot.outDirectory).sort()).toEqual(['allocated', 'large', 'output']);
      expect((await stat(path.join(slot.outDirectory, 'output'))).mode & 0o7000).toBe(0);
      expect(existsSync('/x')).toBe(false);
    });

    test.each(['signal the server', 'signal a neighbour'])('cannot %s', (what) => {
      expect(outcomes[what]).toMatch(denied);
    });

    test.each(['become root', 'change its priority'])('cannot %s', (what) => expect(outcomes[what]).toMatch(denied));

    test('has the user of its slot, or the server’s if that cannot give it another', () => {
      const { user } = slot;
      expect(user !== undefined).toBe(isRoot);
      const own = [process.getuid!(), process.getgid!(), process.getgroups!().sort().join('.')];
      const expected = user ? [user.uid, user.gid, `${user.readersGid}.${user.gid}`] : own;
      expect(outcomes.user).toBe(expected.join(':'));
    });

    test('has nothing of the server’s environment and no open file', () => {
      const known = new Set(['MALLOC_MMAP_THRESHOLD_', 'PWD', '']);
      expect(
        String(outcomes.environment)
          .split(',')
          .filter((one) => !known.has(one)),
      ).toEqual([]);
      expect(outcomes['files it was started with']).toBe('');
    });

    test('cannot fill the disk with one file', () => {
      expect(outcomes['write without end']).toBe(`EFBIG after ${limits.fileBytes}`);
    });

    test('cannot take memory beyond its limit', async () => {
      const own = await createSlot(number + 40);
      await expect(runDrill(own, { ...harmless, stage: 'memory' }, permissions)).rejects.toThrow('the drill died');
      const allocated = await readFile(path.join(own.outDirectory, 'allocated'), 'utf8');
      const mostBytes = Number(allocated.trim().split('\n').at(-1));
      expect(mostBytes).toBeGreaterThan(0);
      expect(mostBytes).toBeLessThanOrEqual(limits.dataBytes);
    });

    test('cannot open files without end', () => expect(outcomes['open files without end']).toBe('EMFILE in time'));

    (isRoot ? test : test.skip)('cannot start threads without end (a user of its own needs root)', async () => {
      const end = await runDrill(await createSlot(number + 50), { ...harmless, stage: 'threads' }, permissions).then(
        (found) => found['start threads without end'],
        () => 'died',
      );
      expect(end).not.toBe('never stopped');
    });
  },
);

describeJail('a jailed process', () => {
  test('dies with all that belongs to it when it is killed', async () => {
    const slot = await createSlot(20);
    await runDrill(slot, harmless);
    const child = children.at(-1)!;
    const pids = [child.pid!, ...descendantPids(child.pid!)];
    expect(pids.length).toBeGreaterThan(2);
    killJailed(child);
    await until('all of its processes are gone', () => !pids.some(isAlive));
  });

  test.each([0, 2, 5, 10, 20, 40])('leaves nothing when it is killed %d ms after its start', async (delayMs) => {
    const slot = await createSlot(30 + delayMs);
    const child = jail.spawn(
      {
        entry: drill,
        args: [JSON.stringify({ ...harmless, inDirectory: slot.inDirectory, outDirectory: slot.outDirectory })],
        nodeFlags: [],
        readable: [],
        inDirectory: slot.inDirectory,
        outDirectory: slot.outDirectory,
        user: slot.user,
      },
      ['pipe'],
    );
    const closed = once(child, 'close');
    const pids = new Set<number>();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    for (const pid of [child.pid!, ...descendantPids(child.pid!)]) pids.add(pid);
    // As an operator or the kernel would, not as the server does.
    process.kill(child.pid!, 'SIGKILL');
    await closed;
    await until('all of its processes are gone', () => ![...pids].some(isAlive));
  });
});

test('a server that requires the full jail does not start without it, and says in one sentence what is missing', async () => {
  const tools = path.join(directory, 'tools');
  await mkdir(tools);
  writeFileSync(path.join(tools, 'bwrap'), '#!/bin/sh\necho "bwrap: no namespaces here" >&2\nexit 1\n', {
    mode: 0o755,
  });
  const env = {
    PATH: `${tools}:${process.env.PATH}`,
    ZEROCLOUD_JAIL: 'require',
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: path.join(directory, 'served'),
  };
  const server = spawn(process.execPath, [path.join(__dirname, '../../packages/proxy/dist/main.js')], { env });
  let said = '';
  server.stdout.on('data', (chunk) => {
    said += chunk;
  });
  server.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [status] = await once(server, 'close');
  expect([status, said]).toEqual([
    1,
    expect.stringMatching(/^no full jail for programs here: .*no namespaces here\n$/),
  ]);
});

(isRoot ? describe : describe.skip)('an executor with a broken engine, of another user only (which needs root)', () => {
  let outcomes: Outcomes;

  beforeAll(async () => {
    const user = createJail('user', await inspectHost(limits));
    const neighbour = await createSlot(101, user);
    await runDrill(neighbour, harmless, 'off', user);
    const store = path.join(directory, 'store');
    await mkdir(store, { mode: 0o700 });
    writeFileSync(path.join(store, 'blob'), 'secret', { mode: 0o644 });
    outcomes = await runDrill(
      await createSlot(100, user),
      {
        ...harmless,
        secrets: {
          'the store': path.join(store, 'blob'),
          'a neighbour’s input': path.join(neighbour.inDirectory, 'input'),
          'the server’s environment': `/proc/${process.pid}/environ`,
        },
        serverPid: process.pid,
        neighbourPid: children.at(-1)!.pid,
        ownFile: require.resolve('@zerocloud/sandbox/executor/worker'),
      },
      'off',
      user,
    );
  });

  test('reads its input and writes its output', () => {
    expect(outcomes).toMatchObject({ 'read its input': 'input 100', 'write its output': 'done' });
  });

  test.each([
    'read the store',
    'read a neighbour’s input',
    'read the server’s environment',
    'signal the server',
    'signal a neighbour',
    'overwrite its input',
    'make its input writable',
    'remove its input',
    'overwrite the sandbox package',
    'overwrite Node',
    'become root',
  ])('cannot %s', (what) => expect(outcomes[what]).toMatch(/^(EACCES|EPERM)$/));

  test('has the limits of its process', () => {
    expect(outcomes['write without end']).toBe(`EFBIG after ${limits.fileBytes}`);
    expect(outcomes['open files without end']).toBe('EMFILE in time');
  });
});
