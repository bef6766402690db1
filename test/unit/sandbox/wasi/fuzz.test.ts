import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IoVectors } from '@zerocloud/sandbox/channels/io-vectors';
import { engine } from '@zerocloud/sandbox/module/engine';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { type WasiFunctionName, wasiFunctions } from '@zerocloud/sandbox/wasi/functions';
import { GuestMemory } from '@zerocloud/sandbox/wasi/guest-memory';
import { deterministicClock } from '@zerocloud/sandbox/wasi/host';
import fc from 'fast-check';
import { createWorld, inputSpec, outputSpec } from '../../../support/guest-world';
import { WasiCaller } from '../../../support/wasi-caller';

const known = new Set<number>(Object.values(errno));
const paths = [
  'f',
  'd',
  'd/g',
  'l',
  '/',
  '..',
  'dev',
  'dev/stdin',
  'dev/output',
  'dev/null',
  'dev/zero',
  'tmp',
  'new',
  'd/new',
];
/** Where guest memory holds the n-th path, NUL behind it. */
const pathAt = (n: number): number => 0x1000 + n * 16;

// Mostly plausible arguments, so that the calls get somewhere; the rest is anything.
const i32 = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 4, arbitrary: fc.nat(paths.length - 1).map(pathAt) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 0x40000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -8, 0x3ffff, 0x40000, 0x7fffffff, -0x80000000) },
  { weight: 1, arbitrary: fc.integer() },
);
const i64 = fc.oneof(
  { weight: 4, arbitrary: fc.bigInt({ min: 0n, max: 100n }) },
  { weight: 2, arbitrary: fc.constantFrom(-1n, (1n << 63n) - 1n, -(1n << 63n), 1n << 53n, (1n << 30n) - 1n) },
  { weight: 1, arbitrary: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }) },
);
const call = fc
  .constantFrom(...(Object.keys(wasiFunctions) as WasiFunctionName[]))
  .chain((name) =>
    fc.tuple(
      fc.constant(name),
      fc.tuple(
        ...wasiFunctions[name].params.map((type): fc.Arbitrary<number | bigint> => (type === 'i32' ? i32 : i64)),
      ),
    ),
  );

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'zerocloud-fuzz-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function createGuest(): WasiCaller {
  const limits = { reads: 50, readBytes: 5000, writes: 50, writeBytes: 200_000 };
  const readOnly = { ...limits, writes: 0, writeBytes: 0 };
  const writeOnly = { ...limits, reads: 0, readBytes: 0 };
  const world = createWorld(
    [
      inputSpec('/dev/stdin', 'x'.repeat(10_000), { limits: readOnly }),
      outputSpec('/dev/stdout', { limits: writeOnly, spillPath: join(directory, 'stdout'), etag: true }),
      inputSpec('/dev/rw', 'content', { type: 3, limits, spillPath: join(directory, 'rw'), etag: true }),
      outputSpec('/dev/output', { type: 3, limits: writeOnly, spillPath: join(directory, 'output'), etag: true }),
    ],
    { clock: deterministicClock() },
  );
  const guest = new WasiCaller(world);
  guest.create('f', 'file f');
  guest.path('path_create_directory', 'd');
  guest.create('d/g', 'file g');
  guest.symlink('d', 'l');
  guest.open('f', { rights: 66n });
  guest.open('dev/rw', { rights: 66n });
  guest.open('dev/output', { rights: 64n });
  guest.open('d', { flags: 2 });
  guest.open('dev/zero', { rights: 66n });
  paths.forEach((path, n) => {
    guest.put(path, pathAt(n));
  });
  return guest;
}

/** Nothing that the host relies on is broken: counters within limits, the tree consistent, other calls still work. */
function checkWorld(guest: WasiCaller): void {
  const { host, channels, states, root } = guest.world;
  expect(host.fault).toBeUndefined();
  for (const { spec } of channels) {
    const { reads, readBytes, writes, writeBytes, windowLength } = states.get(spec.name)!;
    expect(reads).toBeLessThanOrEqual(spec.limits.reads);
    expect(readBytes).toBeLessThanOrEqual(spec.limits.readBytes);
    expect(writes).toBeLessThanOrEqual(spec.limits.writes);
    expect(writeBytes).toBeLessThanOrEqual(spec.limits.writeBytes);
    expect(windowLength).toBeLessThanOrEqual(65536);
  }
  const seen = new Set<object>();
  const rest = [root.root];
  for (let directory = rest.pop(); directory !== undefined; directory = rest.pop()) {
    expect(seen.has(directory)).toBe(false);
    seen.add(directory);
    for (const [name, node] of root.entriesOf(directory)) {
      expect(name).not.toMatch(/^$|^\.\.?$|\/|\0/);
      expect(node.links).toBeGreaterThan(0);
      if (node.kind !== 'directory') continue;
      expect(node.parent).toBe(directory);
      rest.push(node);
    }
  }
  for (const name of ['/dev/stdin', '/dev/stdout', '/dev/rw', '/dev/output', '/dev/null']) {
    expect(root.resolve(root.root, name, false).node).toBeDefined();
  }
}

describe('the host', () => {
  test('answers any sequence of calls with known error numbers and keeps its state whole', () => {
    fc.assert(
      fc.property(fc.array(call, { minLength: 20, maxLength: 120 }), (calls) => {
        const guest = createGuest();
        for (const [name, args] of calls) {
          if (name === 'proc_exit' || name === 'proc_raise') continue;
          expect(known).toContain(guest.call(name, ...args));
        }
        checkWorld(guest);
        for (const channel of guest.world.channels) channel.finish();
      }),
      { numRuns: 150 },
    );
  });

  test.each(Object.keys(wasiFunctions) as WasiFunctionName[])('survives any arguments to %s', (name) => {
    const { params } = wasiFunctions[name];
    const args = fc.tuple(...params.map((type): fc.Arbitrary<number | bigint> => (type === 'i32' ? i32 : i64)));
    fc.assert(
      fc.property(args, (values) => {
        const guest = createGuest();
        try {
          expect(known).toContain(guest.call(name, ...values));
        } catch (error) {
          expect((error as Error).name).toMatch(/^(GuestExit|GuestSignal)$/);
        }
        checkWorld(guest);
        for (const channel of guest.world.channels) channel.finish();
      }),
      { numRuns: 40 },
    );
  });

  test('answers with fault before it knows the memory', () => {
    const { host } = createWorld([]);
    const { fd_write } = host.imports.wasi_snapshot_preview1 as unknown as Record<
      string,
      (...args: number[]) => number
    >;
    expect(fd_write!(1, 0, 1, 8)).toBe(errno.fault);
  });
});

describe('guest memory', () => {
  test('is followed when it grows', () => {
    const memory = new engine.Memory({ initial: 1, maximum: 2 });
    const guest = new GuestMemory();
    guest.attach(memory);
    expect(() => guest.getUint8(65536)).toThrow(expect.objectContaining({ errno: errno.fault }));
    (memory as unknown as { grow(pages: number): void }).grow(1);
    expect(guest.getUint8(65536)).toBe(0);
    expect(() => guest.getUint32(2 * 65536 - 3)).toThrow(expect.objectContaining({ errno: errno.fault }));
  });

  test('does not take lists of more bytes than a call can report', () => {
    const guest = new GuestMemory();
    const memory = new engine.Memory({ initial: 80, maximum: 80 });
    guest.attach(memory);
    const list = new DataView(memory.buffer);
    for (let i = 0; i < 1024; i++) list.setUint32(i * 8 + 4, 80 * 65536, true);
    const vectors = new IoVectors();
    guest.readIoVectors(0, 800, vectors);
    expect(vectors.totalBytes).toBe(800 * 80 * 65536);
    expect(() => guest.readIoVectors(0, 1024, vectors)).toThrow(expect.objectContaining({ errno: errno.inval }));
  });
});
