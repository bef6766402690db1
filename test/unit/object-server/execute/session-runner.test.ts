import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type LevelStore, type NodeChannel, type NodeSession, openLevelStore } from '@zerocloud/object-server';
import { createSessionRunner } from '@zerocloud/object-server/execute/session-runner';
import { Staging } from '@zerocloud/object-server/staging';
import { type Sandbox, SandboxError } from '@zerocloud/sandbox';
import { until } from '../../../support/until';
import { ScriptedSandbox } from './scripted-sandbox';

const inlineOutputBytes = 1000;
const timestamp = '1700000000.00000';
let directory: string;
let workDir: string;
let store: LevelStore;
let staging: Staging;
let sandbox: ScriptedSandbox;
let runner: ReturnType<typeof createSessionRunner>;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-execute-'));
  const dataDir = path.join(directory, 'data');
  store = await openLevelStore({ dataDir, fsync: false });
  workDir = path.join(directory, 'work');
  await mkdir(workDir);
  staging = new Staging({ stagingPath: () => store.stagingPath() });
  sandbox = new ScriptedSandbox(workDir, inlineOutputBytes);
  runner = createSessionRunner({ store, staging, sandbox: sandbox as unknown as Sandbox });
  await store.putContainer({ account: 'a', container: 'c' }, { timestamp, metadata: {} });
  await put('prog.wasm', Buffer.from('module'));
});

afterEach(async () => {
  staging.close();
  await store.close();
  await rm(directory, { recursive: true });
});

const at = (object: string, container = 'c') => ({ account: 'a', container, object });

function put(object: string, data: Buffer, options: { contentType?: string; metadata?: Record<string, string> } = {}) {
  async function* body() {
    yield data;
  }
  const { contentType = 'text/plain', metadata = {} } = options;
  return store.putObject(at(object), body(), { timestamp, contentType, metadata, maxBytes: 1e9 });
}

async function get(object: string, container = 'c'): Promise<Buffer | undefined> {
  const opened = await store.openObject(at(object, container));
  if (!opened) return undefined;
  const body = await opened.read();
  const bytes = Buffer.isBuffer(body) ? body : await buffer(body);
  opened.close();
  return bytes;
}

const reading = { reads: 1e6, readBytes: 1e6, writes: 0, writeBytes: 0 };
const writing = { reads: 0, readBytes: 0, writes: 1e6, writeBytes: 1e6 };

function input(device: string, object: string, more: Partial<NodeChannel> = {}): NodeChannel {
  const source = { kind: 'object', path: at(object) } as const;
  return { device, type: 3, limits: reading, fileType: 'file', etag: false, source, ...more };
}

function output(device: string, more: Partial<NodeChannel> = {}): NodeChannel {
  return { device, type: 0, limits: writing, fileType: 'file', etag: true, ...more };
}

function target(object: string, container = 'c') {
  return { path: at(object, container), contentType: 'text/csv', metadata: { 'x-object-meta-k': 'v' } };
}

function node(channels: NodeChannel[], more: Partial<NodeSession> = {}): NodeSession {
  return {
    account: 'a',
    transactionId: 'tx1',
    name: 'n',
    program: { kind: 'source', source: { kind: 'object', path: at('prog.wasm') } },
    args: ['n'],
    env: { USER: 'me' },
    channels,
    systemImages: [],
    timeoutMs: 1000,
    memoryBytes: 65536,
    timestamp,
    maxProgramBytes: 1e6,
    maxInputBytes: 1e6,
    ...more,
  };
}

describe('what a session reads', () => {
  test('is the bytes of small objects and the files of large ones', async () => {
    const large = randomBytes(300_000);
    await put('small', Buffer.from('abc'));
    await put('large', large);
    let seen: Buffer | undefined;
    sandbox.guest = async ({ channels }) => {
      const source = channels[1]!.source!;
      if (source.kind === 'file') seen = await readFile(source.path);
      return {};
    };
    await runner.runSession(node([input('stdin', 'small'), input('input', 'large')]));
    const [session] = sandbox.sessions;
    expect(session!.channels[0]).toMatchObject({ name: '/dev/stdin', source: { kind: 'bytes' } });
    expect(Buffer.from((session!.channels[0]!.source as { data: Uint8Array }).data).toString()).toBe('abc');
    expect(session!.channels[1]!.source).toMatchObject({ kind: 'file', sizeBytes: 300_000 });
    expect(seen!.equals(large)).toBe(true);
    expect(session!.program).toMatchObject({ kind: 'module', cacheKey: expect.any(String) });
  });

  test('stays readable when the object is deleted meanwhile', async () => {
    const large = randomBytes(300_000);
    await put('large', large);
    let seen: Buffer | undefined;
    sandbox.guest = async ({ channels }) => {
      await store.deleteObject(at('large'), { timestamp: '1700000001.00000' });
      seen = await readFile((channels[0]!.source as { path: string }).path);
      return {};
    };
    await runner.runSession(node([input('input', 'large')]));
    expect(seen!.equals(large)).toBe(true);
  });

  test('gives programs of the same content the same cache key, and another one to another content', async () => {
    await runner.runSession(node([]));
    await runner.runSession(node([]));
    await put('prog.wasm', Buffer.from('newer module'));
    await runner.runSession(node([]));
    const keys = sandbox.sessions.map(({ program }) => (program as { cacheKey?: string }).cacheKey);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  test('mounts the image, inflated if it is gzipped, and finds the program in it', async () => {
    const tar = Buffer.alloc(100_000, 'tar');
    await put('app.tgz', gzipSync(tar), { contentType: 'application/x-gzip' });
    let seen: Buffer | undefined;
    sandbox.guest = async ({ mounts }) => {
      seen = await readFile((mounts[0]!.source as { path: string }).path);
      return {};
    };
    const image = input('image', 'app.tgz', { mounted: true });
    await runner.runSession(node([image], { program: { kind: 'image', path: 'main.wasm' } }));
    expect(seen!.equals(tar)).toBe(true);
    expect(sandbox.sessions[0]!.mounts).toMatchObject([{ kind: 'tar', mountPoint: '/' }]);
    expect(sandbox.sessions[0]!.program).toMatchObject({ kind: 'mount', mount: 0, path: 'main.wasm' });
    // It stays inflated for the sessions after this one.
    expect(await readdir(path.join(directory, 'data', 'staging'))).toHaveLength(1);
  });

  test('can be a staged body, as long as it is not released', async () => {
    async function* body() {
      yield Buffer.from('staged');
    }
    const { id, sizeBytes } = await staging.stageBody(body(), { maxBytes: 100 });
    expect(sizeBytes).toBe(6);
    const channel = { ...input('stdin', ''), source: { kind: 'staged', id } as const };
    await runner.runSession(node([channel]));
    expect(sandbox.sessions[0]!.channels[0]!.source).toMatchObject({ kind: 'bytes' });
    await staging.releaseBody(id);
    await expect(runner.runSession(node([channel]))).rejects.toMatchObject({ code: 'stagedNotFound' });
  });

  test.each<[string, NodeSession, string, string]>([
    [
      'a missing program',
      node([], { program: { kind: 'source', source: { kind: 'object', path: at('gone') } } }),
      'objectNotFound',
      'Error 404 Not Found while fetching /a/c/gone',
    ],
    [
      'a missing input',
      node([input('stdin', 'gone')]),
      'objectNotFound',
      'Error 404 Not Found while fetching /a/c/gone',
    ],
    [
      'a missing local input',
      node([input('stdin', 'gone')], { localDevice: 'stdin' }),
      'objectNotFound',
      'Error 404 Not Found while fetching /a/c/gone',
    ],
    [
      'a local input without container',
      node([input('stdin', '', { source: { kind: 'object', path: at('o', 'gone') } })], { localDevice: 'stdin' }),
      'containerNotFound',
      'Error while fetching /a/gone/o',
    ],
    [
      'a local output without container',
      node([output('stdout', { target: target('o', 'gone') })], { localDevice: 'stdout' }),
      'containerNotFound',
      'Error while fetching /a/gone/o',
    ],
    [
      'a large local input',
      node([input('stdin', 'prog.wasm')], { localDevice: 'stdin', maxInputBytes: 5 }),
      'inputTooLarge',
      'Data object too large',
    ],
    [
      'large inputs together',
      node([input('stdin', 'prog.wasm')], { maxInputBytes: 11 }),
      'inputTooLarge',
      'RPC request too large',
    ],
    ['a large program', node([], { maxProgramBytes: 5 }), 'programTooLarge', 'Program is larger than 5 bytes'],
    [
      'no image to find the program in',
      node([], { program: { kind: 'image', path: 'x' } }),
      'programNotFound',
      'No executable found in request',
    ],
  ])('is refused before the start: %s', async (_, request, code, message) => {
    await expect(runner.runSession(request)).rejects.toMatchObject({ name: 'StorageError', code, message });
    expect(sandbox.sessions).toEqual([]);
  });

  test('refuses a damaged gzip image', async () => {
    await put('app.tgz', Buffer.from('no gzip at all'), { contentType: 'application/x-gzip' });
    const request = node([input('image', 'app.tgz', { mounted: true })]);
    await expect(runner.runSession(request)).rejects.toMatchObject({
      code: 'badArchive',
      message: 'Failed to inflate gzipped image',
    });
  });
});

describe('the guest’s environment', () => {
  test('describes the local input', async () => {
    const metadata = { 'x-object-meta-my-color': 'blå', 'content-encoding': 'utf-8', 'x-object-sysmeta-a': 'secret' };
    await put('data', Buffer.from('abc'), { metadata });
    await runner.runSession(node([input('stdin', 'data')], { localDevice: 'stdin' }));
    expect(sandbox.sessions[0]!.env).toEqual({
      USER: 'me',
      LOCAL_OBJECT: 'on',
      LOCAL_PATH_INFO: '/a/c/data',
      LOCAL_DOCUMENT_ROOT: '/dev/stdin',
      LOCAL_CONTENT_TYPE: 'text/plain',
      LOCAL_CONTENT_LENGTH: '3',
      LOCAL_HTTP_ETAG: '900150983cd24fb0d6963f7d28e17f72',
      LOCAL_HTTP_X_TIMESTAMP: timestamp,
      LOCAL_HTTP_CONTENT_ENCODING: 'utf-8',
      LOCAL_HTTP_X_OBJECT_META_MY_COLOR: 'blå',
    });
  });

  test('describes the local output', async () => {
    await runner.runSession(node([output('stdout', { target: target('out') })], { localDevice: 'stdout' }));
    expect(sandbox.sessions[0]!.env).toEqual({
      USER: 'me',
      LOCAL_OBJECT: 'on',
      LOCAL_PATH_INFO: '/a/c/out',
      LOCAL_DOCUMENT_ROOT: '/dev/stdout',
      LOCAL_CONTENT_TYPE: 'text/csv',
      LOCAL_HTTP_X_OBJECT_META_K: 'v',
    });
  });

  test('says nothing about a local object when there is none', async () => {
    await runner.runSession(node([output('stdout')]));
    expect(sandbox.sessions[0]!.env).toEqual({ USER: 'me' });
  });
});

describe('what a session wrote', () => {
  const big = randomBytes(300_000);

  test('is stored under its target with type and metadata, small and large, and leaves no file behind', async () => {
    sandbox.guest = () => ({ '/dev/stdout': Buffer.from('small'), '/dev/output': big });
    const { outputs } = await runner.runSession(
      node([output('stdout', { target: target('s') }), output('output', { target: target('l') })]),
    );
    expect(outputs).toMatchObject([
      { device: 'stdout', sizeBytes: 5, stored: at('s') },
      { device: 'output', sizeBytes: big.length, stored: at('l') },
    ]);
    expect((await get('s'))!.toString()).toBe('small');
    expect((await get('l'))!.equals(big)).toBe(true);
    expect(await store.findObject(at('l'))).toMatchObject({
      contentType: 'text/csv',
      metadata: { 'x-object-meta-k': 'v' },
      timestamp,
    });
    expect(await readdir(workDir)).toEqual([]);
  });

  test('is returned when it has no target; a large one as a stream whose file goes with it', async () => {
    sandbox.guest = () => ({ '/dev/stdout': Buffer.from('small'), '/dev/stderr': big });
    const { outputs } = await runner.runSession(node([output('stdout'), output('stderr')]));
    expect(outputs[0]!.body).toEqual(Buffer.from('small'));
    const stream = outputs[1]!.body as Readable;
    expect((await buffer(stream)).equals(big)).toBe(true);
    if (!stream.closed) await once(stream, 'close');
    await settled(workDir);
  });

  test('and was not read has its file removed as well', async () => {
    sandbox.guest = () => ({ '/dev/stdout': big });
    const { outputs } = await runner.runSession(node([output('stdout')]));
    (outputs[0]!.body as Readable).destroy();
    await settled(workDir);
  });

  test('is dropped below min_size, stored or returned from there on', async () => {
    sandbox.guest = () => ({ '/dev/stdout': Buffer.from('1234'), '/dev/stderr': Buffer.from('12345') });
    const { outputs } = await runner.runSession(
      node([
        output('stdout', { target: target('dropped'), minSizeBytes: 5 }),
        output('stderr', { minSizeBytes: 5 }),
        output('output', { target: target('empty') }),
      ]),
    );
    expect(outputs.map(({ stored, body }) => [stored !== undefined, body !== undefined])).toEqual([
      [false, false],
      [false, true],
      [true, false],
    ]);
    expect(await get('dropped')).toBeUndefined();
    expect(await get('empty')).toEqual(Buffer.alloc(0));
  });

  test('ends with the first refusal: later outputs are neither stored nor returned, and no file remains', async () => {
    sandbox.guest = () => ({ '/dev/stdout': big, '/dev/stderr': big, '/dev/output': big });
    const { outputs } = await runner.runSession(
      node([
        output('stdout', { target: target('o', 'gone') }),
        output('stderr', { target: target('later') }),
        output('output'),
      ]),
    );
    expect(outputs).toMatchObject([{ refused: 'containerNotFound' }, { device: 'stderr' }, { device: 'output' }]);
    expect(outputs[1]!.stored ?? outputs[2]!.body).toBeUndefined();
    expect(await get('later')).toBeUndefined();
    await settled(workDir);
  });

  test('is kept when the session failed', async () => {
    sandbox.guest = () => ({ '/dev/stdout': Buffer.from('partial') });
    sandbox.report = { state: 'session timeout', code: 4 };
    const { report } = await runner.runSession(node([output('stdout', { target: target('partial') })]));
    expect(report.state).toBe('session timeout');
    expect((await get('partial'))!.toString()).toBe('partial');
  });

  test('leaves the object as it was when it is gone with its process, and is returned as nothing', async () => {
    await put('kept', Buffer.from('before'));
    sandbox.dies = true;
    sandbox.report = { state: 'sandbox process died', code: 4 };
    const { report, outputs } = await runner.runSession(
      node([
        output('output', { target: target('kept') }),
        output('stderr', { target: target('new') }),
        output('stdout'),
      ]),
    );
    expect(report.state).toBe('sandbox process died');
    expect((await get('kept'))!.toString()).toBe('before');
    expect(await get('new')).toBeUndefined();
    expect(outputs.map(({ stored, body }) => [stored, body?.toString()])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
      [undefined, ''],
    ]);
  });

  test('replaces an object with its metadata and its expiry', async () => {
    await put('old', Buffer.from('old'), { metadata: { 'x-object-meta-old': '1' } });
    await store.updateObject(at('old'), { timestamp, metadata: {}, deleteAt: 4_000_000_000 });
    sandbox.guest = () => ({ '/dev/stdout': Buffer.from('new') });
    await runner.runSession(node([output('stdout', { target: target('old') })], { timestamp: '1700000009.00000' }));
    const record = await store.findObject(at('old'));
    expect(record).toMatchObject({ metadata: { 'x-object-meta-k': 'v' }, sizeBytes: 3 });
    expect(record!.deleteAt).toBeUndefined();
  });

  test('shows in the report only the checksums that were asked for', async () => {
    sandbox.report = {
      etags: [
        { name: '/dev/stdout', md5: 'm1' },
        { name: '/dev/stderr', md5: 'm2' },
      ],
    };
    const { report } = await runner.runSession(
      node([output('stdout'), output('stderr', { etag: false, target: target('x') })]),
    );
    expect(report.etags).toEqual([{ name: '/dev/stdout', md5: 'm1' }]);
  });
});

test.each<[ConstructorParameters<typeof SandboxError>[0], string]>([
  ['program-not-found', 'programNotFound'],
  ['system-image-not-found', 'systemImageNotFound'],
  ['bad-image', 'badArchive'],
  ['image-too-large', 'inputTooLarge'],
  ['executor-failed', 'sessionFailed'],
  ['source-not-found', 'sessionFailed'],
  ['closed', 'unavailable'],
])('the sandbox’s %s becomes %s', async (sandboxCode, code) => {
  sandbox.failure = new SandboxError(sandboxCode, 'sentence');
  await expect(runner.runSession(node([]))).rejects.toMatchObject({ name: 'StorageError', code });
});

/** Waits until the directory is empty; files are removed without anybody waiting for it. */
function settled(directory: string): Promise<void> {
  return until(`${directory} is empty`, async () => (await readdir(directory)).length === 0);
}
