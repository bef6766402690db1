import { cleanAcl, isReferrerAllowed, parseAcl } from '@zerocloud/proxy/auth/acl';

describe('cleaning an ACL', () => {
  test.each([
    ['bob, sue', 'bob,sue'],
    ['bob , sue', 'bob,sue'],
    ['bob,,,sue', 'bob,sue'],
    ['.referrer : *', '.r:*'],
    ['.ref:*.example.com', '.r:.example.com'],
    ['.r:*, .rlistings', '.r:*,.rlistings'],
    ['.r:-.thief.com', '.r:-.thief.com'],
    ['.r: - *.thief.com', '.r:-.thief.com'],
    ['account:user', 'account:user'],
    ['', ''],
  ])('makes %p to %p', (messy, clean) => {
    expect(cleanAcl('x-container-read', messy)).toBe(clean);
  });

  test.each([
    ['x-container-read', '.r:', "No host/domain value after referrer designation in ACL: '.r:'"],
    ['x-container-read', '.r:-', "No host/domain value after referrer designation in ACL: '.r:-'"],
    ['x-container-read', '.r:*.', "No host/domain value after referrer designation in ACL: '.r:*.'"],
    ['x-container-read', '.foo:bar', "Unknown designator '.foo' in ACL: '.foo:bar'"],
    ['x-container-write', '.r:*', "Referrers not allowed in write ACL: '.r:*'"],
  ] as const)('refuses %s: %s with the sentence of Swift', (header, value, sentence) => {
    expect(() => cleanAcl(header, value)).toThrow(sentence);
  });
});

test('parses referrers in order, and groups percent-decoded', () => {
  expect(parseAcl('.r:*,.r:-.thief.com,.rlistings,bob%2Cjr:x,sue')).toEqual({
    referrers: ['*', '-.thief.com'],
    groups: ['.rlistings', 'bob,jr:x', 'sue'],
  });
});

describe('a referrer', () => {
  test.each([
    [undefined, ['*'], true],
    [undefined, [], false],
    [undefined, ['.example.com'], false],
    ['http://www.example.com/page', ['.example.com'], true],
    ['http://example.com/page', ['.example.com'], false],
    ['http://example.com:8080/page', ['example.com'], true],
    ['http://user:pw@Example.com/', ['example.com'], true],
    ['http://badexample.com/', ['.example.com'], false],
    ['http://www.thief.com/', ['*', '-.thief.com'], false],
    ['http://www.thief.com/', ['-.thief.com', '*'], true],
    ['http://good.thief.com/', ['*', '-.thief.com', 'good.thief.com'], true],
    ['//example.com/', ['example.com'], true],
    ['example.com', ['example.com'], false],
    ['http://example.com.evil.net/', ['example.com'], false],
    ['http://[::1]:80/', ['::1'], true],
  ])('%p under %p: %p', (referer, referrers, allowed) => {
    expect(isReferrerAllowed(referer, referrers)).toBe(allowed);
  });
});
