import { findJobUrl } from '@zerocloud/proxy/jobs/urls';

describe('URLs of a job description', () => {
  test.each([
    [
      'swift://acct/c/o/with/slash',
      { kind: 'object', path: { account: 'acct', container: 'c', object: 'o/with/slash' } },
    ],
    ['swift://~/c/o', { kind: 'object', url: 'swift://me/c/o', path: { account: 'me', container: 'c', object: 'o' } }],
    ['swift://./c', { kind: 'container', url: 'swift://me/c', path: { account: 'me', container: 'c' } }],
    ['swift://acct/c/', { kind: 'container', path: { account: 'acct', container: 'c' } }],
    ['swift://acct', { kind: 'account', account: 'acct' }],
    ['swift://acct//o', { kind: 'account', account: 'acct' }],
    ['swift://acct/c/%41', { kind: 'object', path: { account: 'acct', container: 'c', object: '%41' } }],
    ['file://python:bin/python', { kind: 'image', image: 'python', member: 'bin/python' }],
    ['file://image:main.wasm', { kind: 'image', image: 'image', member: 'main.wasm' }],
    ['file://main.wasm', { kind: 'image', image: 'image', member: 'main.wasm' }],
    ['zvm://node:/dev/stdin', { kind: 'node', node: 'node', device: 'stdin' }],
    ['zvm://node:stdin', { kind: 'node', node: 'node', device: 'stdin' }],
    ['tcp://host:80', { kind: 'network' }],
    ['cache://etag/a/c/o', { kind: 'cache' }],
  ])('%s is %j', (text, url) => {
    expect(findJobUrl(text, 'me')).toMatchObject({ url: text, ...url });
  });

  test.each(['', 'a/c/o', '/a/c/o', 'http://host/path', 'swift:/a/c/o'])('%j is none', (text) => {
    expect(findJobUrl(text, 'me')).toBeUndefined();
  });

  test('without an account is the parser’s internal error', () => {
    expect(() => findJobUrl('swift:///c/o', 'me')).toThrow('Config parser internal error');
  });
});
