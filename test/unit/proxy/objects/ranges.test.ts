import { selectRanges } from '@zerocloud/proxy/objects/ranges';

const size = 10;
const one = (start: number, end: number) => ({ kind: 'parts', parts: [{ start, end }] });
const parts = (...ranges: [number, number][]) => ({
  kind: 'parts',
  parts: ranges.map(([start, end]) => ({ start, end })),
});
const many = (count: number, range: (i: number) => string) =>
  `bytes=${Array.from({ length: count }, (_, i) => range(i))}`;

describe('a Range header on ten bytes', () => {
  test.each([
    ['bytes=0-0', one(0, 0)],
    ['bytes=2-5', one(2, 5)],
    ['bytes=5-', one(5, 9)],
    ['bytes=-3', one(7, 9)],
    ['bytes=-100', one(0, 9)],
    ['bytes=0-100', one(0, 9)],
    ['bytes=9-9', one(9, 9)],
    [`bytes=0-${'9'.repeat(400)}`, one(0, 9)],
    ['BYTES=0-1', one(0, 1)],
    ['bytes = 0 - 1', one(0, 1)],
    ['bytes=-0,1-2', one(1, 2)],
    ['bytes=0-1, 20-30', one(0, 1)],
    ['bytes=0-1,4-5', parts([0, 1], [4, 5])],
    ['bytes=4-5,0-1', parts([4, 5], [0, 1])],
  ])('%s selects what it names', (header, selection) => {
    expect(selectRanges(header, size)).toEqual(selection);
  });

  test.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=20-30,40-50', `bytes=${'9'.repeat(400)}-`])(
    '%s is not satisfiable',
    (header) => expect(selectRanges(header, size)).toEqual({ kind: 'unsatisfiable' }),
  );

  test.each([
    '',
    'bytes=',
    'bytes=-',
    'bytes=5',
    'bytes=5-3',
    'bytes=a-b',
    'bytes=--3',
    'bytes=0-1-2',
    'bytes=0x1-2',
    'bytes=0-3,',
    'bytes=0-1,a-',
    'items=0-3',
  ])('"%s" is malformed and asks for everything', (header) => {
    expect(selectRanges(header, size)).toEqual({ kind: 'whole' });
  });
});

test('no header asks for everything', () => expect(selectRanges(undefined, size)).toEqual({ kind: 'whole' }));

describe('a Range header on an empty object', () => {
  test.each(['bytes=-3', 'bytes=-1,-2', 'bytes=0-1,-2'])('%s is all of it', (header) => {
    expect(selectRanges(header, 0)).toEqual({ kind: 'whole' });
  });
  test.each(['bytes=0-0', 'bytes=0-', 'bytes=-0'])('%s is not satisfiable', (header) => {
    expect(selectRanges(header, 0)).toEqual({ kind: 'unsatisfiable' });
  });
});

describe('greedy ranges', () => {
  test.each([
    ['50 ranges', many(50, () => '0-0'), 'parts'],
    ['51 ranges', many(51, () => '0-0'), 'unsatisfiable'],
    ['51 ranges of which one exists', many(51, (i) => (i === 0 ? '0-0' : '100-')), 'parts'],
    ['two overlaps', 'bytes=0-4,2-6,6-9', 'parts'],
    ['three overlaps', 'bytes=0-4,2-6,4-8', 'unsatisfiable'],
    ['seven ranges backwards', many(7, (i) => `${9 - i}-${9 - i}`), 'parts'],
    ['eight ranges backwards', many(8, (i) => `${9 - i}-${9 - i}`), 'unsatisfiable'],
    ['ten ranges forwards', many(10, (i) => `${i}-${i}`), 'parts'],
  ])('%s: %s', (_, header, kind) => expect(selectRanges(header, size).kind).toBe(kind));
});
