import { createPattern, findFilled } from '@zerocloud/proxy/jobs/wildcards';

/** What the documented semantics are: a regular expression with greedy stars, anchored at both ends. */
function matchByRegExp(pattern: string, name: string): string[] | undefined {
  const source = pattern
    .split('*')
    .map((piece) => piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
    .join('(.*)');
  return new RegExp(`^${source}$`, 's').exec(name)?.slice(1);
}

describe('wildcard patterns', () => {
  test.each([
    ['in*', 'input1', ['put1']],
    ['*.txt', 'a.txt', ['a']],
    ['*.txt', 'a.txt.bak', undefined],
    ['*', '', ['']],
    ['*', 'any/thing\nat all', ['any/thing\nat all']],
    ['a*b*c', 'abbbc', ['bb', '']],
    ['a*a', 'a', undefined],
    ['**', 'xy', ['xy', '']],
    ['plain', 'plain', []],
    ['plain', 'plain2', undefined],
    ['data/*/part-*.csv', 'data/2024/06/part-7.csv', ['2024/06', '7']],
  ])('%s on %j captures %j', (pattern, name, captures) => {
    expect(createPattern(pattern).match(name)).toEqual(captures);
  });

  test('capture what a greedy, anchored regular expression captures', () => {
    const texts = [...words('ab*', 5)];
    const names = [...words('ab', 6)];
    for (const pattern of texts) {
      for (const name of names) {
        expect([pattern, name, createPattern(pattern).match(name)]).toEqual([
          pattern,
          name,
          matchByRegExp(pattern, name),
        ]);
      }
    }
  });

  test('stay fast where a regular expression would search for ages', () => {
    const pattern = createPattern(`${'*a'.repeat(200)}b`);
    const startedAt = performance.now();
    for (let i = 0; i < 1000; i++) expect(pattern.match('a'.repeat(1024))).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe('filling stars', () => {
  test.each([
    ['c_out*/out*', ['2', 'put1'], 'c_out2/output1'],
    ['plain', ['surplus'], 'plain'],
    ['*', ['a', 'surplus'], 'a'],
    ['*-*', ['only one'], undefined],
  ])('%s with %j gives %j', (text, captures, filled) => {
    expect(findFilled(text, captures)).toBe(filled);
  });
});

function* words(alphabet: string, maxLength: number): Generator<string> {
  yield '';
  if (maxLength === 0) return;
  for (const letter of alphabet) for (const rest of words(alphabet, maxLength - 1)) yield letter + rest;
}
