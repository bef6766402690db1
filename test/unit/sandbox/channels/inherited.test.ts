import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { collectOutput } from '@zerocloud/sandbox/channels/collect-output';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { type OpenChannel, openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { errno } from '@zerocloud/sandbox/wasi/errno';

let directory: string;
const fds: number[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'inherited-'));
});

afterEach(() => {
  for (const fd of fds.splice(0)) closeSync(fd);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function openFd(file: string, flags: string | number): number {
  const fd = openSync(file, flags);
  fds.push(fd);
  return fd;
}

/** Both ends of a FIFO. */
function createFifo(name: string): { input: number; output: number } {
  const file = path.join(directory, name);
  expect(spawnSync('mkfifo', [file]).status).toBe(0);
  const both = openFd(file, constants.O_RDWR);
  return { input: openFd(file, 'r'), output: both };
}

const both = { reads: 100, readBytes: 1000, writes: 100, writeBytes: 1000 };
const readOnly = { ...both, writes: 0, writeBytes: 0 };
const writeOnly = { ...both, reads: 0, readBytes: 0 };

interface Opened {
  channel: OpenChannel;
  state: ChannelState;
  spec: ChannelSpec;
}

function open(inherited: ChannelSpec['inherited'], changes: Partial<ChannelSpec> = {}): Opened {
  const spec: ChannelSpec = {
    name: '/dev/x',
    type: 0,
    limits: readOnly,
    fileType: 'pipe',
    etag: false,
    inherited,
    ...changes,
  };
  const state = new ChannelState(createChannelState({ writable: true }));
  return { channel: openChannel(spec, state), state, spec };
}

function read({ channel }: Opened, length: number, position = 0): string | number {
  const memory = new Uint8Array(length);
  const count = channel.read(memory, IoVectors.of(0, length), position);
  return count < 0 ? count : Buffer.from(memory.subarray(0, count)).toString();
}

function write({ channel }: Opened, text: string, position = 0): number {
  const memory = Buffer.from(text);
  return channel.write(memory, IoVectors.of(0, memory.length), position);
}

describe('a stream', () => {
  test('gives what is there, and the end again and again', () => {
    const { input, output } = createFifo('read');
    const opened = open({ kind: 'stream', fd: input, sizeBytes: 0 }, { etag: true });
    writeSync(output, 'hello');
    expect(read(opened, 100)).toBe('hello');
    writeSync(output, 'you');
    expect(read(opened, 2)).toBe('yo');
    closeSync(output);
    fds.splice(fds.indexOf(output), 1);
    expect(read(opened, 100)).toBe('u');
    expect([read(opened, 100), read(opened, 100)]).toEqual(['', '']);
    opened.channel.finish();
    expect(opened.state).toMatchObject({ reads: 4, readBytes: 8 });
    expect(opened.state.digest).toBe(createHash('md5').update('helloyou').digest('hex'));
  });

  test('ends where its limits are', () => {
    const { input, output } = createFifo('limited');
    writeSync(output, 'hello');
    const opened = open({ kind: 'stream', fd: input, sizeBytes: 0 }, { limits: { ...readOnly, readBytes: 3 } });
    expect([read(opened, 0), read(opened, 100), read(opened, 100)]).toEqual(['', 'hel', -errno.dquot]);
    expect(write(opened, 'x')).toBe(-errno.dquot);
  });

  test('takes what is written, shortened at the limit, and reports its size without content', () => {
    const { input, output } = createFifo('written');
    const changes = { limits: { ...writeOnly, writeBytes: 7 }, etag: true };
    const opened = open({ kind: 'stream', fd: output, sizeBytes: 0 }, changes);
    expect([write(opened, 'hello'), write(opened, 'world'), write(opened, 'x')]).toEqual([5, 2, -errno.dquot]);
    const received = Buffer.alloc(100);
    expect(received.toString('utf8', 0, readSync(input, received))).toBe('hellowo');
    opened.channel.finish();
    const output1 = collectOutput(opened.spec, opened.state, { inlineBytes: 100 });
    const md5 = createHash('md5').update('hellowo').digest('hex');
    expect({ ...output1, body: output1.body.kind }).toEqual({ name: '/dev/x', sizeBytes: 7, md5, body: 'bytes' });
  });

  test('waits for bytes although somebody made the descriptor non-blocking', () => {
    const { output } = createFifo('busy');
    const input = openFd(path.join(directory, 'busy'), constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = path.join(directory, 'busy');
    const late = spawnLater(writer, 'late');
    const opened = open({ kind: 'stream', fd: input, sizeBytes: 0 });
    expect(read(opened, 100)).toBe('late');
    late.kill();
    expect(output).toBeGreaterThan(0);
  });

  test('whose reader is gone is a broken pipe', () => {
    const { input, output } = createFifo('broken');
    const writer = openFd(path.join(directory, 'broken'), 'w');
    for (const fd of [input, output]) {
      closeSync(fd);
      fds.splice(fds.indexOf(fd), 1);
    }
    expect(write(open({ kind: 'stream', fd: writer, sizeBytes: 0 }, { limits: writeOnly }), 'x')).toBe(-errno.pipe);
  });

  test('has nothing to be cut, which is fine for who opens it with "w"; it has no other length', () => {
    const opened = open({ kind: 'stream', fd: openFd('/dev/null', 'w'), sizeBytes: 0 }, { limits: writeOnly });
    expect(opened.channel.truncate(0)).toBe(errno.success);
    expect(opened.channel.truncate(1)).toBe(errno.inval);
  });
});

/** A process that writes a little later. */
function spawnLater(file: string, text: string): ChildProcess {
  return spawn('sh', ['-c', `sleep 0.1; printf ${text} > '${file}'`]);
}

describe('an inherited file', () => {
  const openFile = (content: string, flags: string, changes: Partial<ChannelSpec>) => {
    const file = path.join(directory, 'file');
    writeFileSync(file, content);
    const fd = openFd(file, flags);
    return { file, ...open({ kind: 'file', fd, sizeBytes: content.length }, changes) };
  };

  test('is read at any place', () => {
    const opened = openFile('0123456789', 'r', { type: 3 });
    expect([read(opened, 3, 4), read(opened, 100, 8), read(opened, 1, 10)]).toEqual(['456', '89', '']);
  });

  test('has each write at once, so that nothing is lost with the process', () => {
    const opened = openFile('', 'w', { limits: writeOnly });
    write(opened, 'hello ');
    expect(readFileSync(opened.file, 'utf8')).toBe('hello ');
    write(opened, 'world');
    expect(readFileSync(opened.file, 'utf8')).toBe('hello world');
    expect(opened.channel.sizeBytes).toBe(11);
  });

  test('that is appended to keeps what it has', () => {
    const opened = openFile('before', 'r+', { type: 1, limits: both });
    expect([write(opened, ' after'), read(opened, 100, 0)]).toEqual([6, 'before after']);
    expect(readFileSync(opened.file, 'utf8')).toBe('before after');
  });

  test('with both directions is changed in place and can be cut', () => {
    const opened = openFile('0123456789', 'r+', { type: 3, limits: both, etag: true });
    expect(write(opened, 'abc', 4)).toBe(3);
    expect(opened.channel.truncate(8)).toBe(errno.success);
    expect(read(opened, 100, 2)).toBe('23abc7');
    expect(readFileSync(opened.file, 'utf8')).toBe('0123abc7');
    opened.channel.finish();
    // ZeroVM's checksum: all bytes as they passed.
    expect(opened.state.digest).toBe(createHash('md5').update('abc23abc7').digest('hex'));
  });
});
