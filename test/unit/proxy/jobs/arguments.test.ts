import { splitArguments } from '@zerocloud/proxy/jobs/arguments';

describe('splitting an argument string', () => {
  test.each([
    ['prog', ['prog']],
    ['prog a  b\tc ', ['prog', 'a', 'b', 'c']],
    ['prog "two words" x', ['prog', 'two words', 'x']],
    ['prog pre"fix and"post', ['prog', 'prefix andpost']],
    ['prog ""', ['prog', '']],
    ['prog "open end', ['prog', 'open end']],
    ['prog a\\x20b', ['prog', 'a b']],
    ['prog \\x5cx41 \\x22\\x2c\\x0a', ['prog', '\\x41', '",\n']],
    ['prog \\xc3\\xa9', ['prog', 'é']],
    ['prog é\\x21', ['prog', 'é!']],
    ['prog a,b', ['prog', 'a,b']],
    ['prog \\xZZ \\x4', ['prog', '\\xZZ', '\\x4']],
    ['prog $HOME `id` *', ['prog', '$HOME', '`id`', '*']],
    ['', []],
  ])('%j gives %j', (line, args) => {
    expect(splitArguments(line)).toEqual(args);
  });
});
