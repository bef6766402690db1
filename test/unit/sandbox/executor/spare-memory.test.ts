import { SpareMemory } from '@zerocloud/sandbox/executor/spare-memory';
import type { LinearMemory } from '@zerocloud/sandbox/module/engine';

const bytes = (memory: LinearMemory) => new Uint8Array(memory.buffer);
const isZero = (memory: LinearMemory) => bytes(memory).every((byte) => byte === 0);
const grow = (memory: LinearMemory, pages: number) =>
  (memory as unknown as { grow(pages: number): number }).grow(pages);

describe('spare memory', () => {
  test('is used again, and nothing of the last session is left in it', () => {
    const spare = new SpareMemory();
    const first = spare.take(2, 4);
    bytes(first).fill(0xaa);
    spare.settle();
    const second = spare.take(2, 4);
    expect(second).toBe(first);
    expect(isZero(second)).toBe(true);
  });

  test('is not handed out before it was wiped', () => {
    const spare = new SpareMemory();
    const first = spare.take(2, 4);
    bytes(first).fill(0xaa);
    const second = spare.take(2, 4);
    expect(second).not.toBe(first);
    expect(isZero(second)).toBe(true);
  });

  test('is not used again after it has grown', () => {
    const spare = new SpareMemory();
    const first = spare.take(1, 4);
    grow(first, 1);
    spare.settle();
    const second = spare.take(1, 4);
    expect(second).not.toBe(first);
    expect(bytes(second).length).toBe(65_536);
  });

  test.each([
    [3, 4],
    [2, 5],
  ])('of other limits is made anew (%d to %d pages)', (initial, maximum) => {
    const spare = new SpareMemory();
    const first = spare.take(2, 4);
    spare.settle();
    const second = spare.take(initial, maximum);
    expect(second).not.toBe(first);
    expect(bytes(second).length).toBe(initial * 65_536);
    expect(() => grow(second, maximum - initial)).not.toThrow();
    expect(() => grow(second, 1)).toThrow();
  });

  test('is not kept when it is large', () => {
    const spare = new SpareMemory();
    const first = spare.take(300, 400);
    spare.settle();
    expect(spare.take(300, 400)).not.toBe(first);
  });
});
