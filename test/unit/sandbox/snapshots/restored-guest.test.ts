import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pythonImages } from '@zerocloud/sandbox';
import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { type CompiledModule, engine, type LinearMemory } from '@zerocloud/sandbox/module/engine';
import { findPythonRequest } from '@zerocloud/sandbox/snapshots/python-command';
import { RestoredGuest } from '@zerocloud/sandbox/snapshots/restored-guest';
import { type Snapshot, takePythonSnapshot } from '@zerocloud/sandbox/snapshots/take-snapshot';
import { GuestExit, WasiHost } from '@zerocloud/sandbox/wasi/host';

let directory: string;
let snapshot: Snapshot;
let compiled: CompiledModule;
let memoryFd: number;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'snapshot-'));
  snapshot = takePythonSnapshot(readFileSync(pythonImages()[0]!.programs!.python!), undefined);
  writeFileSync(path.join(directory, 'memory'), snapshot.memory);
  memoryFd = openSync(path.join(directory, 'memory'), 'r');
  compiled = new engine.Module(snapshot.module);
}, 60_000);

afterAll(() => {
  closeSync(memoryFd);
  rmSync(directory, { recursive: true });
});

const create = (pages = 4096) => new RestoredGuest(compiled, snapshot.facts, memoryFd, pages);
const memoryOf = (guest: RestoredGuest) => Buffer.from((guest as unknown as { memory: LinearMemory }).memory.buffer);

function run(guest: RestoredGuest, source: string): number {
  const root = new RootFs();
  const args = ['python', '-c', source];
  const host = new WasiHost({ args, env: {}, channels: [], root });
  const request = findPythonRequest({ args, env: {}, root, plain: true })!;
  try {
    guest.serve(host, request);
  } catch (error) {
    if (error instanceof GuestExit) return error.exitCode;
    throw error;
  } finally {
    root.close();
  }
  throw new Error('the guest returned');
}

test('begins with exactly the copied memory', () => {
  expect(memoryOf(create()).equals(Buffer.from(snapshot.memory))).toBe(true);
});

test('has exactly the copied memory again after a session, and the session ran', () => {
  const guest = create();
  for (const [source, code] of [
    ['import sys; sys.exit(5)', 5],
    ['x = ["the secret %d" % i for i in range(1000)]; 1/0', 1],
    ['import os; os._exit(9)', 9],
  ] as const) {
    expect(run(guest, source)).toBe(code);
    expect(memoryOf(guest).equals(Buffer.from(snapshot.memory))).toBe(false);
    guest.restore();
    expect(memoryOf(guest).equals(Buffer.from(snapshot.memory))).toBe(true);
  }
});

test('clears what was written where the copy is empty', () => {
  const guest = create();
  run(guest, 'pass');
  memoryOf(guest).fill(0xff);
  guest.restore();
  expect(memoryOf(guest).equals(Buffer.from(snapshot.memory))).toBe(true);
});

test('is not used again before it is restored', () => {
  const guest = create();
  run(guest, 'pass');
  expect(() => run(guest, 'pass')).toThrow('used twice');
});

test('cannot be restored when its memory has grown', () => {
  const guest = create();
  expect(guest.reusable).toBe(true);
  expect(run(guest, 'x = bytearray(30_000_000)')).toBe(0);
  expect(guest.reusable).toBe(false);
  expect(() => guest.restore()).toThrow('another size');
});

test('grows no further than its session may', () => {
  const guest = create(snapshot.facts.pages + 16);
  const source = 'import sys\ntry:\n  x = bytearray(30_000_000)\nexcept MemoryError:\n  sys.exit(3)';
  expect(run(guest, source)).toBe(3);
});
