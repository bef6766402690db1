import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { chmod, mkdtemp, rm, unlink } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Channel, Output } from '@zerocloud/sandbox';
import { isMoved, Slot } from '@zerocloud/sandbox/executor/slot';
import { slotUser } from '@zerocloud/sandbox/jail/slot-user';
import { inputChannel, outputChannel, sessionOf } from '../../../support/sandbox';

const isRoot = process.getuid!() === 0;

let directory: string;
let slot: Slot;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'slot-'));
  slot = new Slot(path.join(directory, 'slot'), path.join(directory, 'outputs'));
  mkdirSync(path.join(directory, 'outputs'));
  slot.createSync();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function fileChannel(name: string, content: string): Channel {
  const file = path.join(directory, name.replaceAll('/', '_'));
  writeFileSync(file, content, { mode: 0o600 });
  return inputChannel(undefined, { name, source: { kind: 'file', path: file, sizeBytes: content.length } });
}

const contents = () =>
  readdirSync(slot.inDirectory).map((name) => readFileSync(path.join(slot.inDirectory, name), 'utf8'));

const program = { kind: 'module' as const, source: { kind: 'bytes' as const, data: new Uint8Array(0) } };

test('holds exactly what the session in hand reads', async () => {
  const first = slot.grant(
    1,
    sessionOf(program, { channels: [fileChannel('/dev/a', 'a'), fileChannel('/dev/b', 'b')] }),
    false,
  );
  await first.granted;
  expect(contents().sort()).toEqual(['a', 'b']);
  await slot.revoke(first.request);
  expect(contents()).toEqual([]);
  const second = slot.grant(2, sessionOf(program, { channels: [fileChannel('/dev/c', 'c')] }), false);
  await second.granted;
  expect(contents()).toEqual(['c']);
});

test('has nothing to wait for when a session brings its bytes', () => {
  const { granted } = slot.grant(1, sessionOf(program, { channels: [inputChannel('x'), outputChannel()] }), false);
  expect(granted).toBeUndefined();
});

test('has one file for each output, which is used again', async () => {
  const channels = [outputChannel(), outputChannel('/dev/null', { discard: true }), outputChannel('/dev/stderr')];
  const paths = () =>
    slot.grant(1, sessionOf(program, { channels }), false).request.channels.map((one) => one.spillPath);
  const [stdout, discarded, stderr] = paths();
  expect([stdout, discarded, stderr]).toEqual([expect.any(String), undefined, expect.any(String)]);
  expect(readdirSync(slot.outDirectory)).toHaveLength(2);
  expect(paths()).toEqual([stdout, discarded, stderr]);
});

test('does not follow what stands where a file of an output is to be made', () => {
  const victim = path.join(directory, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, path.join(slot.outDirectory, '0'));
  expect(() => slot.grant(1, sessionOf(program, { channels: [outputChannel()] }), false)).toThrow(/EEXIST/);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

describe('an output that is claimed', () => {
  const outputOf = (sizeBytes: number, file: string): Output[] => [
    { name: '/dev/stdout', sizeBytes, body: { kind: 'file', path: file } },
  ];
  const grant = (id: number) => slot.grant(id, sessionOf(program, { channels: [outputChannel()] }), false).request;

  test('is the file that was made for it, wherever the executor says that it is', async () => {
    const request = grant(1);
    const file = request.channels[0]!.spillPath!;
    writeFileSync(file, 'result');
    const [claimed] = await slot.claim(request, outputOf(6, '/etc/passwd'));
    expect(claimed!.body).toEqual({ kind: 'file', path: expect.stringContaining(path.join(directory, 'outputs')) });
    expect(existsSync(file)).toBe(false);
    expect(grant(2).channels[0]!.spillPath).toBe(file);
    expect(existsSync(file)).toBe(true);
  });

  test('cannot be changed any more by an executor that still has it open', async () => {
    const request = grant(1);
    const file = request.channels[0]!.spillPath!;
    const fd = openSync(file, 'r+');
    writeSync(fd, 'result', 0);
    const [claimed] = await slot.claim(request, outputOf(6, file));
    writeSync(fd, 'BROKEN', 0);
    closeSync(fd);
    expect(readFileSync((claimed!.body as { path: string }).path, 'utf8')).toBe('result');
    expect(readdirSync(path.join(directory, 'outputs'))).toHaveLength(1);
    expect(isMoved(claimed!)).toBe(false);
  });

  test('stays the same file when it is large: its executor must end', async () => {
    const request = grant(1);
    const file = request.channels[0]!.spillPath!;
    const sizeBytes = 20 * 1024 ** 2;
    truncateSync(file, sizeBytes);
    const { ino } = statSync(file);
    const [claimed] = await slot.claim(request, outputOf(sizeBytes, file));
    expect(isMoved(claimed!)).toBe(true);
    expect(statSync((claimed!.body as { path: string }).path).ino).toBe(ino);
  });

  test.each<[string, (file: string) => void | Promise<void>]>([
    ['has another size', (file) => writeFileSync(file, 'longer than said')],
    ['is a link to another file', (file) => unlink(file).then(() => symlinkSync('/etc/passwd', file))],
    ['is a directory', (file) => unlink(file).then(() => mkdirSync(file))],
    [
      'would run as its owner',
      (file) => {
        writeFileSync(file, 'result');
        return chmod(file, 0o4755);
      },
    ],
  ])('is refused if it %s', async (_what, tamper) => {
    const request = grant(1);
    await tamper(request.channels[0]!.spillPath!);
    await expect(slot.claim(request, outputOf(6, 'x'))).rejects.toMatchObject({ code: 'executor-failed' });
    expect(readdirSync(path.join(directory, 'outputs'))).toEqual([]);
  });

  test('is not left behind when another of its session is refused', async () => {
    const channels = ['/dev/a', '/dev/b', '/dev/c'].map((name) => outputChannel(name));
    const { request } = slot.grant(1, sessionOf(program, { channels }), false);
    const sizes = [20 * 1024 ** 2, 6, 6];
    const outputs = channels.map(({ name }, index): Output => {
      truncateSync(request.channels[index]!.spillPath!, sizes[index]!);
      return { name, sizeBytes: sizes[index]! + (index === 1 ? 1 : 0), body: { kind: 'file', path: 'x' } };
    });
    await expect(slot.claim(request, outputs)).rejects.toMatchObject({ code: 'executor-failed' });
    expect(readdirSync(path.join(directory, 'outputs'))).toEqual([]);
  });
});

(isRoot ? describe : describe.skip)('a slot with a user of its own (which needs root)', () => {
  const user = slotUser(7);

  beforeEach(() => {
    slot = new Slot(path.join(directory, 'own'), path.join(directory, 'outputs'), user);
    slot.createSync();
  });

  test('can be entered by that one and written to in one place', () => {
    const facts = [path.dirname(slot.inDirectory), slot.inDirectory, slot.outDirectory].map((one) => {
      const { uid, gid, mode } = statSync(one);
      return [uid, gid, mode & 0o777];
    });
    expect(facts).toEqual([
      [0, user.gid, 0o750],
      [0, user.gid, 0o750],
      [user.uid, user.gid, 0o700],
    ]);
  });

  test('lets executors read a body that was the server’s alone, and nobody else', async () => {
    const source = path.join(directory, 'body');
    writeFileSync(source, 'x', { mode: 0o600 });
    await slot.link(source, 'input');
    const { uid, gid, mode } = statSync(source);
    expect([uid, gid, mode & 0o777]).toEqual([0, user.readersGid, 0o640]);
  });

  test('leaves a file as it is that everybody may read', async () => {
    const source = path.join(directory, 'body');
    writeFileSync(source, 'x', { mode: 0o644 });
    await slot.link(source, 'input');
    expect([statSync(source).gid, statSync(source).mode & 0o777]).toEqual([0, 0o644]);
  });

  test('hands its outputs over to the server', async () => {
    const { request } = slot.grant(1, sessionOf(program, { channels: [outputChannel()] }), false);
    const file = request.channels[0]!.spillPath!;
    expect(statSync(file).uid).toBe(user.uid);
    writeFileSync(file, 'result');
    const [claimed] = await slot.claim(request, [
      { name: '/dev/stdout', sizeBytes: 6, body: { kind: 'file', path: file } },
    ]);
    const { uid, mode } = statSync((claimed!.body as { path: string }).path);
    expect([uid, mode & 0o777]).toEqual([0, 0o640]);
  });
});

test('no two executors that are alive together have one user', () => {
  const uids = new Set(Array.from({ length: 1500 }, (_, slotNumber) => slotUser(slotNumber + 700).uid));
  expect(uids.size).toBe(1500);
});
