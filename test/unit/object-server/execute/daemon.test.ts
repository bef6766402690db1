import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { NodeSession } from '@zerocloud/object-server';
import { daemonOf } from '@zerocloud/object-server/execute/daemon';

/** By what an application, and the state of it, are known. */

const limits = { reads: 1, readBytes: 1, writes: 0, writeBytes: 0 };
const objectSource = (object: string) => ({ kind: 'object' as const, path: { account: 'a', container: 'c', object } });

function node(changes: Partial<NodeSession> = {}, source: object = objectSource('app.tar')): NodeSession {
  const image = { device: 'image', type: 3, limits, fileType: 'file', etag: false, source, mounted: true };
  return {
    account: 'a',
    program: { kind: 'system-image', image: 'python', path: 'python' },
    args: ['python', 'main.py'],
    env: {},
    channels: [image],
    systemImages: ['python'],
    daemon: ['app'],
    ...changes,
  } as unknown as NodeSession;
}

const bytes = (text: string, identity?: string) => {
  const data = Buffer.from(text);
  return { source: { kind: 'bytes' as const, data }, sizeBytes: data.length, identity };
};

const usual = () => daemonOf(node(), bytes('x', 'body-1'));

test('an application is known by the path of its archive, its state by the identity of the stored body', async () => {
  const daemon = await usual();
  expect(daemon).toMatchObject({ place: '/a/c/app.tar', modules: ['app'], key: expect.stringContaining('body-1') });
  const replaced = await daemonOf(node(), bytes('x', 'body-2'));
  expect([replaced!.name === daemon!.name, replaced!.key === daemon!.key]).toEqual([true, false]);
});

test.each<[string, Partial<NodeSession>]>([
  ['arguments of the program', { args: ['python', 'main.py', 'more'] }],
  ['another script of the same directory', { args: ['python', 'other.py'] }],
  ['variables', { env: { WHO: 'me' } }],
  ['the name of the node', { name: 'other' }],
])('%s make no difference', async (_name, changes) => {
  expect(await daemonOf(node(changes), bytes('x', 'body-1'))).toEqual(await usual());
});

test.each<[string, Partial<NodeSession>]>([
  ['other modules', { daemon: ['other'] }],
  ['another program', { program: { kind: 'system-image', image: 'python2.7', path: 'python' } }],
  ['a script elsewhere', { args: ['python', 'deep/main.py'] }],
  ['where modules are looked for', { env: { PYTHONPATH: '/lib' } }],
  ['another home', { env: { HOME: '/home' } }],
  ['further images', { systemImages: ['python', 'more'] }],
])('%s make another application', async (_name, changes) => {
  expect((await daemonOf(node(changes), bytes('x', 'body-1')))!.name).not.toBe((await usual())!.name);
});

test('a posted archive is known by its bytes, in memory or in a file, which is read once for all nodes', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'daemon-'));
  try {
    const file = path.join(directory, 'archive');
    await writeFile(file, 'archive');
    const staged = (text: string) => daemonOf(node({}, { kind: 'staged', id: text }), bytes(text, text));
    const opened = { source: { kind: 'file' as const, path: file, sizeBytes: 7 }, sizeBytes: 7, identity: 'lease' };
    const fromFile = () => daemonOf(node({}, { kind: 'staged', id: 'lease' }), opened);
    const first = await fromFile();
    expect(first).toEqual(await staged('archive'));
    expect((await staged('other'))!.name).not.toBe(first!.name);
    expect(first!.place).toMatch(/^posted [0-9a-f]{64}$/);
    await rm(file);
    expect(await fromFile()).toEqual(first);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('staged bytes that stand for a large object have its place, and are known by what they are', async () => {
  const path = { account: 'a', container: 'c', object: 'large.tar' };
  const of = (text: string) =>
    daemonOf(node({}, { kind: 'staged', id: text, standsFor: { path, record: {} } }), bytes(text, text));
  const [first, second] = [await of('one'), await of('two')];
  expect([first!.place, first!.name]).toEqual(['/a/c/large.tar', second!.name]);
  expect(first!.key).not.toBe(second!.key);
});

test('nodes that ask for none, or run a program of their own, have none', async () => {
  expect(await daemonOf(node({ daemon: undefined }), bytes('x'))).toBeUndefined();
  expect(await daemonOf(node({ program: { kind: 'image', path: 'main.wasm' } }), bytes('x'))).toBeUndefined();
});
