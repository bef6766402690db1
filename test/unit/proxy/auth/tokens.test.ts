import { randomBytes } from 'node:crypto';
import { createTokens, type Tokens } from '@zerocloud/proxy/auth/tokens';
import { userTable } from '@zerocloud/proxy/auth/users';

const tester = { account: 'test', user: 'tester', key: 'testing', groups: ['.admin', 'staff'] };
const lifetimeS = 1000;
const secret = randomBytes(32);
let nowMs = 1_700_000_000_000;

function tokensFor(user = tester, loadSecret = async () => secret): Tokens {
  return createTokens({ users: userTable([user]), lifetimeS, now: () => nowMs, loadSecret });
}

test('a token names its user and the groups of now', async () => {
  const { token, expiresInS } = await tokensFor().issue(tester);
  expect(token).toMatch(/^AUTH_tk[\w-]+$/);
  expect(expiresInS).toBe(lifetimeS);
  // Another instance with the same secret stands for a restarted server.
  expect(await tokensFor().verify(token)).toMatchObject({
    user: 'test:tester',
    groups: ['test', 'test:tester', 'staff', 'AUTH_test'],
    resellerAdmin: false,
  });
});

test('what was verified is found without verifying again, until it expires', async () => {
  const tokens = tokensFor();
  const { token } = await tokens.issue(tester);
  expect(tokens.findVerified(token)).toBeUndefined();
  await tokens.verify(token);
  expect(tokens.findVerified(token)?.user).toBe('test:tester');
  nowMs += lifetimeS * 1000;
  expect(tokens.findVerified(token)).toBeUndefined();
  expect(await tokens.verify(token)).toBeUndefined();
});

test('logins share a token for the first half of its life', async () => {
  const tokens = tokensFor();
  const first = await tokens.issue(tester);
  nowMs += 400_000;
  expect(await tokens.issue(tester)).toEqual({ token: first.token, expiresInS: 600 });
  nowMs += 100_000;
  const second = await tokens.issue(tester);
  expect(second.token).not.toBe(first.token);
  expect(await tokens.verify(first.token)).toBeDefined();
});

test('a changed key ends the tokens given out before', async () => {
  const { token } = await tokensFor().issue(tester);
  expect(await tokensFor({ ...tester, key: 'changed' }).verify(token)).toBeUndefined();
});

test('a removed user has no token any more', async () => {
  const { token } = await tokensFor().issue(tester);
  expect(await tokensFor({ ...tester, user: 'other' }).verify(token)).toBeUndefined();
});

test('another secret accepts nothing', async () => {
  const { token } = await tokensFor().issue(tester);
  expect(await tokensFor(tester, async () => randomBytes(32)).verify(token)).toBeUndefined();
});

test('no changed bit goes unnoticed', async () => {
  const tokens = tokensFor();
  const { token } = await tokens.issue(tester);
  const bytes = Buffer.from(token.slice('AUTH_tk'.length), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const forged = Buffer.from(bytes);
    forged[bit >> 3]! ^= 1 << (bit & 7);
    expect(await tokens.verify(`AUTH_tk${forged.toString('base64url')}`)).toBeUndefined();
  }
});

test.each(['', 'AUTH_tk', 'AUTH_tkshort', 'AUTH_tk!!!', `AUTH_tk${'A'.repeat(5000)}`, 'OTHER_tkxyz'])(
  '%p is no token',
  async (text) => {
    expect(await tokensFor().verify(text)).toBeUndefined();
  },
);

test('a secret that could not be loaded is asked for again', async () => {
  let attempts = 0;
  const tokens = tokensFor(tester, async () => {
    if (++attempts === 1) throw new Error('storage is not up yet');
    return secret;
  });
  await expect(tokens.issue(tester)).rejects.toThrow('storage is not up yet');
  expect((await tokens.issue(tester)).token).toMatch(/^AUTH_tk/);
});
