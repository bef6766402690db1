import { isOwner } from '@zerocloud/proxy/auth/authorize';
import { identityOf, isSameSecret } from '@zerocloud/proxy/auth/users';

const user = { account: 'test', user: 'tester', key: 'x' };
const owner = identityOf({ ...user, groups: ['.admin'] });
const plain = identityOf({ ...user, groups: [] });
const reseller = identityOf({ ...user, account: 'admin', groups: ['.admin', '.reseller_admin'] });

test.each([
  ['an admin', owner, 'AUTH_test', true],
  ['an admin', owner, 'AUTH_test2', false],
  ['an admin', owner, 'test', false],
  ['a plain user', plain, 'AUTH_test', false],
  ['a reseller admin', reseller, 'AUTH_test', true],
  ['a reseller admin', reseller, 'AUTH_.hidden', false],
  ['a reseller admin', reseller, 'AUTH_', false],
  ['a reseller admin', reseller, '.zerocloud', false],
  ['nobody', undefined, 'AUTH_test', false],
])('%s (%#) of %p owns %s: %p', (_name, identity, account, owns) => {
  expect(isOwner(identity, account as string)).toBe(owns);
});

test('secrets are compared whole', () => {
  expect(isSameSecret('testing', 'testing')).toBe(true);
  expect(isSameSecret('testin', 'testing')).toBe(false);
  expect(isSameSecret('testing ', 'testing')).toBe(false);
  expect(isSameSecret('', '')).toBe(true);
});
