import { splitArguments } from '@zerocloud/proxy/jobs/arguments';
import { escapeWord, splitWords } from '@zerocloud/proxy/zvapp/split-words';
import fc from 'fast-check';

test.each([
  ['', []],
  ['  one\ttwo\nthree ', ['one', 'two', 'three']],
  [`'single "quotes" \\n' rest`, ['single "quotes" \\n', 'rest']],
  [`"double 'quotes' \\" \\\\ \\n"`, [`double 'quotes' " \\ \\n`]],
  [`a'b c'"d e"\\ f`, ['ab cd e f']],
  [`'' ""`, ['', '']],
  ['# no comment $HOME *', ['#', 'no', 'comment', '$HOME', '*']],
])('a shell divides %j', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test.each([
  [`'open`, 'no closing quotation'],
  [`"open \\"`, 'no closing quotation'],
  ['end\\', 'no escaped character'],
])('refuses %j', (line, sentence) => {
  expect(() => splitWords(line)).toThrow(sentence);
});

test('any word comes through a job description as it was', () => {
  const word = fc.stringMatching(/^[^\0\t]+$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      expect(splitArguments(words.map(escapeWord).join(' '))).toEqual(words);
    }),
  );
});
