import { createRing, defaultRingBytes, Ring, resetRing, ringBytes, ringWords } from '@zerocloud/sandbox/channels/ring';
import fc from 'fast-check';

/** Both ends of a small ring in one thread, for what must not wait. `counter`: bytes that have passed already. */
function openRing(capacityBytes: number, counter = 0) {
  const shared = createRing(capacityBytes);
  const words = new Int32Array(shared, 0, 128);
  words[ringWords.written] = counter;
  words[ringWords.taken] = counter;
  return { ring: new Ring(shared), shared };
}

function take(ring: Ring, length: number): string {
  const target = Buffer.alloc(length);
  return target.toString('latin1', 0, ring.read(target, 0, length));
}

const put = (ring: Ring, text: string): number => ring.write(Buffer.from(text, 'latin1'), 0, text.length);

describe('a ring', () => {
  it('gives what is there, in order, around its end', () => {
    const { ring } = openRing(8);
    expect(put(ring, 'abcdef')).toBe(6);
    expect(take(ring, 4)).toBe('abcd');
    expect(put(ring, 'ghijkl')).toBe(6);
    expect(ring.availableBytes).toBe(8);
    expect(take(ring, 3)).toBe('efg');
    expect(take(ring, 100)).toBe('hijkl');
  });

  it('takes as much as fits once half of it is free', () => {
    const { ring } = openRing(8);
    expect(put(ring, 'abcdefghijkl')).toBe(8);
    expect(take(ring, 4)).toBe('abcd');
    expect(put(ring, 'ijklmnop')).toBe(4);
    expect(take(ring, 8)).toBe('efghijkl');
  });

  it('goes on when its counters run over, as signed and as unsigned numbers', () => {
    for (const counter of [2 ** 31 - 5, -5]) {
      const { ring } = openRing(16, counter);
      for (let i = 0; i < 4; i++) {
        expect(put(ring, `${i}abcdefghijk`)).toBe(12);
        expect(take(ring, 7)).toBe(`${i}abcdef`);
        expect(ring.availableBytes).toBe(5);
        expect(take(ring, 16)).toBe('ghijk');
      }
    }
  });

  it('has nothing for a reader that does not wait', () => {
    expect(openRing(8).ring.readAvailable(new Uint8Array(1), 0, 1)).toBe(0);
  });

  it('keeps what was written before its writer ended', () => {
    const { ring } = openRing(8);
    put(ring, 'last');
    ring.endWriter();
    expect([take(ring, 3), take(ring, 3), take(ring, 3)]).toEqual(['las', 't', '']);
  });

  it('takes nothing once a side has ended', () => {
    for (const end of ['endReader', 'endWriter'] as const) {
      const { ring } = openRing(8);
      ring[end]();
      expect(put(ring, 'x')).toBe(0);
    }
  });

  it('is refused in sizes that its counters cannot run over', () => {
    for (const size of [0, 3, 1000, 0.5, 2 ** 31, -8, Number.NaN]) expect(() => createRing(size)).toThrow(RangeError);
    expect(new Ring(createRing()).capacityBytes).toBe(1024 * 1024);
  });

  it('behaves like a queue of bytes, whatever the sizes of the transfers', () => {
    const step = fc.record({ writes: fc.boolean(), length: fc.integer({ min: 1, max: 40 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, counter) => {
        const { ring } = openRing(32, counter);
        let model = '';
        let next = 0;
        for (const { writes, length } of steps) {
          const free = 32 - model.length;
          if (writes && free >= Math.min(length, 16)) {
            const text = Array.from({ length }, () => String.fromCharCode(next++ & 0xff)).join('');
            const count = put(ring, text);
            expect(count).toBe(Math.min(length, free));
            model += text.slice(0, count);
          } else if (!writes && model.length > 0) {
            expect(take(ring, length)).toBe(model.slice(0, length));
            model = model.slice(length);
          }
        }
        expect(ring.availableBytes).toBe(model.length);
      }),
    );
  });

  it('is like new for the next two threads when it has been reset, whatever it held', () => {
    const { ring, shared } = openRing(8);
    put(ring, 'abcdefgh');
    take(ring, 3);
    ring.endWriter();
    ring.endReader();
    resetRing(shared);
    const next = new Ring(shared);
    expect(next.availableBytes).toBe(0);
    expect(put(next, 'xy')).toBe(2);
    expect(take(next, 8)).toBe('xy');
  });

  it.each([
    [1, defaultRingBytes],
    [128, defaultRingBytes],
    [129, defaultRingBytes / 2],
    [1000, 131_072],
    [100_000, 65_536],
  ])('has its part of the memory: each of %d has %d bytes', (count, sizeBytes) => {
    expect(ringBytes(count)).toBe(sizeBytes);
  });
});
