import type { AccountRecord } from '@zerocloud/object-server';
import { findGrant, readAccountAcl } from '@zerocloud/proxy/auth/account-acl';

const stored = 'x-account-sysmeta-core-access-control';

function accountWith(acl: string): AccountRecord {
  return { createdAt: '1.00000', containerCount: 0, objectCount: 0, bytesUsed: 0, metadata: { [stored]: acl } };
}

test('keeps an ACL as compact ASCII JSON in a fixed order', () => {
  const header = Buffer.from('{"read-only": ["ü"], "admin": []}').toString('latin1');
  expect(readAccountAcl(header)).toEqual({ [stored]: '{"admin":[],"read-only":["\\u00fc"]}' });
});

test.each(['{}', ''])('takes all rights back for %p', (header) => {
  expect(readAccountAcl(header)).toEqual({ [stored]: undefined });
});

test('changes nothing without a header', () => {
  expect(readAccountAcl(undefined)).toEqual({});
});

test.each([
  ['yuck', "Syntax error in input ('yuck')"],
  ['[]', "Syntax error in input ('[]')"],
  ['{"other":[]}', 'Key "other" not recognized'],
  ['{"admin":"bob"}', 'Value for key "admin" must be a list'],
  ['{"admin":[1]}', 'Elements of "admin" list must be strings'],
])('refuses %s', (header, problem) => {
  expect(() => readAccountAcl(header)).toThrow(`X-Account-Access-Control invalid: ${problem}\n\nInput: ${header}\n`);
});

test('gives the strongest of several grants', () => {
  const account = accountWith('{"admin":["root"],"read-only":["bob","sue"],"read-write":["bob"]}');
  expect(findGrant(account, ['test', 'root'])).toBe('admin');
  expect(findGrant(account, ['bob'])).toBe('read-write');
  expect(findGrant(account, ['sue'])).toBe('read-only');
  expect(findGrant(account, ['eve'])).toBeUndefined();
  expect(findGrant(undefined, ['bob'])).toBeUndefined();
});
