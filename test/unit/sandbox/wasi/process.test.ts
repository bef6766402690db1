import { errno } from '@zerocloud/sandbox/wasi/errno';
import { deterministicClock, deterministicRandom, GuestExit, wasiFunctions } from '@zerocloud/sandbox/wasi/host';
import { createWorld, inputSpec } from '../../../support/guest-world';
import { WasiCaller } from '../../../support/wasi-caller';

function guestWith(options: Parameters<typeof createWorld>[1] = {}): WasiCaller {
  return new WasiCaller(createWorld([inputSpec('/dev/stdin', '')], options));
}

/** NUL-terminated strings that a table of pointers leads to. */
function strings(guest: WasiCaller, sizes: 'args_sizes_get' | 'environ_sizes_get', get: 'args_get' | 'environ_get') {
  expect(guest.call(sizes, 0x100, 0x104)).toBe(0);
  expect(guest.call(get, 0x200, 0x400)).toBe(0);
  const { bytes } = guest;
  return Array.from({ length: bytes.readUInt32LE(0x100) }, (_, i) => {
    const pointer = bytes.readUInt32LE(0x200 + i * 4);
    return bytes.toString('utf8', pointer, bytes.indexOf(0, pointer));
  });
}

function time(guest: WasiCaller, id: number): bigint {
  expect(guest.call('clock_time_get', id, 0n, 0x100)).toBe(0);
  return guest.bytes.readBigUInt64LE(0x100);
}

test('the host provides all 46 functions of preview 1 and no other', () => {
  const { wasi_snapshot_preview1: imports } = createWorld([]).host.imports;
  expect(Object.keys(imports).sort()).toEqual(Object.keys(wasiFunctions).sort());
  expect(Object.keys(imports)).toHaveLength(46);
});

describe('arguments and environment', () => {
  test('arrive as they are', () => {
    const guest = guestWith({ args: ['prog', '', 'zwölf 12', 'a=b'], env: { A: '1', Ü: 'x y', EMPTY: '' } });
    expect(strings(guest, 'args_sizes_get', 'args_get')).toEqual(['prog', '', 'zwölf 12', 'a=b']);
    expect(strings(guest, 'environ_sizes_get', 'environ_get')).toEqual(['A=1', 'Ü=x y', 'EMPTY=']);
  });

  test('end at a NUL', () => {
    expect(strings(guestWith({ args: ['a\0b'] }), 'args_sizes_get', 'args_get')).toEqual(['a']);
  });

  test('do not go outside of memory', () => {
    const guest = guestWith({ args: ['x'.repeat(100)] });
    expect(guest.call('args_get', 0x100, 4 * 65536 - 50)).toBe(errno.fault);
    expect(guest.call('args_get', -4, 0x100)).toBe(errno.fault);
    expect(guest.call('args_sizes_get', 0x100, -4)).toBe(errno.fault);
  });
});

describe('clocks', () => {
  test('are the real ones by default', () => {
    const guest = guestWith();
    const before = BigInt(Date.now()) - 5n;
    const realtimeMs = time(guest, 0) / 1_000_000n;
    expect(realtimeMs >= before && realtimeMs <= BigInt(Date.now()) + 5n).toBe(true);
    const first = time(guest, 1);
    expect(time(guest, 1) >= first).toBe(true);
  });

  test.each([0, 1, 2, 3])('number %d is no finer than a microsecond', (id) => {
    const guest = guestWith();
    expect(guest.call('clock_res_get', id, 0x100)).toBe(0);
    expect(guest.bytes.readBigUInt64LE(0x100)).toBe(1000n);
    expect(time(guest, id) % 1000n).toBe(0n);
  });

  test('there are four', () => {
    expect(guestWith().call('clock_time_get', 4, 0n, 0x100)).toBe(errno.inval);
    expect(guestWith().call('clock_res_get', -1, 0x100)).toBe(errno.inval);
  });

  test('can start at a given second and move a microsecond per query', () => {
    const guest = guestWith({ clock: deterministicClock(1000) });
    const times = [time(guest, 0), time(guest, 0)];
    expect(times[1]! - times[0]!).toBe(1000n);
    expect(times[0]! / 1_000_000_000n).toBe(1000n);
    expect(time(guestWith({ clock: deterministicClock() }), 0) / 1_000_000_000n).toBe(0n);
  });
});

describe('randomness', () => {
  const bytesOf = (guest: WasiCaller, length = 16): string => {
    expect(guest.call('random_get', 0x8000, length)).toBe(0);
    return guest.bytes.toString('hex', 0x8000, 0x8000 + length);
  };

  test('differs by default', () => {
    const guest = guestWith();
    expect(bytesOf(guest)).not.toBe(bytesOf(guest));
  });

  test('can be the same every time', () => {
    const draw = (seed: number): string => bytesOf(guestWith({ random: deterministicRandom(seed) }), 1000);
    expect(draw(7)).toBe(draw(7));
    expect(draw(7)).not.toBe(draw(8));
    expect(new Set(Buffer.from(draw(7), 'hex')).size).toBeGreaterThan(200);
  });

  test('stays inside of memory', () => {
    expect(guestWith().call('random_get', 0, -1)).toBe(errno.fault);
    expect(guestWith().call('random_get', 4 * 65536, 0)).toBe(0);
  });
});

describe('waiting', () => {
  const subscribe = (
    guest: WasiCaller,
    i: number,
    fields: { type: number; id: number; timeoutNs?: bigint; flags?: number },
  ) => {
    const at = 0x1000 + i * 48;
    guest.bytes.fill(0, at, at + 48);
    guest.bytes.writeBigUInt64LE(BigInt(100 + i), at);
    guest.bytes[at + 8] = fields.type;
    guest.bytes.writeUInt32LE(fields.id, at + 16);
    guest.bytes.writeBigUInt64LE(fields.timeoutNs ?? 0n, at + 24);
    guest.bytes.writeUInt16LE(fields.flags ?? 0, at + 40);
  };
  const poll = (guest: WasiCaller, count: number): { userData: number; error: number; type: number }[] => {
    expect(guest.call('poll_oneoff', 0x1000, 0x4000, count, 0x100)).toBe(0);
    return Array.from({ length: guest.bytes.readUInt32LE(0x100) }, (_, i) => {
      const at = 0x4000 + i * 32;
      const { bytes } = guest;
      return { userData: Number(bytes.readBigUInt64LE(at)), error: bytes.readUInt16LE(at + 8), type: bytes[at + 10]! };
    });
  };

  test('for a clock takes that long', () => {
    const guest = guestWith();
    subscribe(guest, 0, { type: 0, id: 1, timeoutNs: 20_000_000n });
    subscribe(guest, 1, { type: 0, id: 1, timeoutNs: 3_600_000_000_000n });
    const startMs = performance.now();
    expect(poll(guest, 2)).toEqual([{ userData: 100, error: 0, type: 0 }]);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(19.9);
  });

  test('until a moment in the past takes no time', () => {
    const guest = guestWith();
    subscribe(guest, 0, { type: 0, id: 0, timeoutNs: 5n, flags: 1 });
    expect(poll(guest, 1)).toEqual([{ userData: 100, error: 0, type: 0 }]);
  });

  test('only moves a deterministic clock', () => {
    const guest = guestWith({ clock: deterministicClock() });
    subscribe(guest, 0, { type: 0, id: 1, timeoutNs: 3_600_000_000_000n });
    expect(poll(guest, 1)).toHaveLength(1);
    expect(time(guest, 0) / 1_000_000_000n).toBe(3600n);
  });

  test('for descriptors does not wait for clocks', () => {
    const guest = guestWith();
    subscribe(guest, 0, { type: 0, id: 1, timeoutNs: 3_600_000_000_000n });
    subscribe(guest, 1, { type: 1, id: 0 });
    subscribe(guest, 2, { type: 2, id: 99 });
    expect(poll(guest, 3)).toEqual([
      { userData: 101, error: 0, type: 1 },
      { userData: 102, error: errno.badf, type: 2 },
    ]);
  });

  test('for what is not there is an error in its event', () => {
    const guest = guestWith();
    subscribe(guest, 0, { type: 0, id: 2 });
    subscribe(guest, 1, { type: 9, id: 0 });
    expect(poll(guest, 2).map(({ error }) => error)).toEqual([errno.notsup, errno.inval]);
  });

  test.each([0, 1025, -1])('for %d things is refused', (count) => {
    expect(guestWith().call('poll_oneoff', 0x1000, 0x4000, count, 0x100)).toBe(errno.inval);
  });
});

describe('the end', () => {
  test('by proc_exit carries the code, unsigned', () => {
    expect(() => guestWith().call('proc_exit', 7)).toThrow(expect.objectContaining({ exitCode: 7 }));
    expect(() => guestWith().call('proc_exit', -1)).toThrow(expect.objectContaining({ exitCode: 0xffffffff }));
  });

  test.each([
    [6, 6],
    [11, 11],
    [15, 15],
    [30, 31],
  ])('by raising WASI signal %d is Linux signal %d', (raised, signal) => {
    expect(() => guestWith().call('proc_raise', raised)).toThrow(
      expect.objectContaining({ name: 'GuestSignal', signal }),
    );
  });

  test('does not come from signal 0 or unknown signals', () => {
    expect(guestWith().call('proc_raise', 0)).toBe(0);
    expect(guestWith().call('proc_raise', 31)).toBe(errno.inval);
    expect(guestWith().call('sched_yield')).toBe(0);
  });

  test('cannot be outlived by a guest that catches it', () => {
    const guest = guestWith();
    expect(() => guest.call('proc_exit', 3)).toThrow(GuestExit);
    expect(() => guest.call('sched_yield')).toThrow(GuestExit);
    expect(() => guest.call('proc_raise', 6)).toThrow(expect.objectContaining({ exitCode: 3 }));
  });
});
