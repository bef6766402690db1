import { createHmac, timingSafeEqual } from 'node:crypto';
import type { User } from '../config';
import type { Identity } from '../context';
import { resellerPrefix } from './authorize';
import type { Resellers } from './resellers';
import { identityOf, type UserTable } from './users';

/**
 * Tokens without a session table: `AUTH_tk` + base64url(MAC, expiry, user). The MAC covers the user's key as well, so
 * a changed key or a removed user ends the tokens given out before. What was verified once is kept in a bounded map,
 * so that a request costs one look-up.
 */
export interface Tokens {
  /** The caller behind a token that `verify` found good lately: the way of nearly every request. */
  findVerified(token: string): Identity | undefined;
  /** The caller behind any token; `undefined` when it is forged, too old, or its user is gone. */
  verify(token: string): Promise<Identity | undefined>;
  /** A token for the user. Logins within the first half of its life share one. */
  issue(user: User): Promise<{ token: string; expiresInS: number }>;
}

const tokenPrefix = `${resellerPrefix}tk`;
const macBytes = 32;
const expiryBytes = 6;
const maxTokenLength = 2048;
const maxVerified = 10_000;

interface Verified {
  identity: Identity;
  expiresAtMs: number;
}

export interface TokenOptions {
  users: UserTable;
  resellers?: Resellers;
  lifetimeS: number;
  now(): number;
  /** Fetches the signing key; asked again after a failure. */
  loadSecret(): Promise<Buffer>;
}

export function createTokens({ users, resellers, lifetimeS, now, loadSecret }: TokenOptions): Tokens {
  const verified = new Map<string, Verified>();
  const issued = new Map<string, { token: string; expiresAtS: number }>();
  let secret: Promise<Buffer> | undefined;

  function getSecret(): Promise<Buffer> {
    secret ??= loadSecret().catch((error: unknown) => {
      secret = undefined;
      throw error;
    });
    return secret;
  }

  async function verify(token: string): Promise<Identity | undefined> {
    if (!token.startsWith(tokenPrefix) || token.length > maxTokenLength) return undefined;
    const bytes = Buffer.from(token.slice(tokenPrefix.length), 'base64url');
    if (bytes.length <= macBytes + expiryBytes) return undefined;
    const expiresAtS = bytes.readUIntBE(macBytes, expiryBytes);
    const user = users.get(bytes.toString('utf8', macBytes + expiryBytes));
    if (!user || expiresAtS * 1000 <= now()) return undefined;
    const expected = sign(await getSecret(), user, expiresAtS);
    if (!timingSafeEqual(expected, bytes.subarray(0, macBytes))) return undefined;
    const identity = identityOf(user, resellers);
    if (verified.size >= maxVerified) verified.clear();
    verified.set(token, { identity, expiresAtMs: expiresAtS * 1000 });
    return identity;
  }

  return {
    findVerified(token) {
      const known = verified.get(token);
      if (!known || known.expiresAtMs > now()) return known?.identity;
      verified.delete(token);
      return undefined;
    },

    verify,

    async issue(user) {
      const name = `${user.account}:${user.user}`;
      const nowS = Math.floor(now() / 1000);
      let current = issued.get(name);
      if (!current || current.expiresAtS - nowS <= lifetimeS / 2) {
        const expiresAtS = nowS + lifetimeS;
        const mac = sign(await getSecret(), user, expiresAtS);
        const expiry = Buffer.alloc(expiryBytes);
        expiry.writeUIntBE(expiresAtS, 0, expiryBytes);
        const token = tokenPrefix + Buffer.concat([mac, expiry, Buffer.from(name)]).toString('base64url');
        current = { token, expiresAtS };
        issued.set(name, current);
      }
      return { token: current.token, expiresInS: current.expiresAtS - nowS };
    },
  };
}

function sign(secret: Buffer, user: User, expiresAtS: number): Buffer {
  // JSON keeps the parts apart, whatever characters they hold.
  const parts = JSON.stringify([expiresAtS, user.account, user.user, user.key]);
  return createHmac('sha256', secret).update(parts).digest();
}
