import { createHmac } from 'node:crypto';
import { isSameSecret } from '../auth/users';
import type { Digest } from '../config';

/** A signature as clients send it: which digest, and its value in lower-case hex. */
export interface Signature {
  digest: Digest;
  hex: string;
}

const digestOfHexLength: Record<number, Digest> = { 40: 'sha1', 64: 'sha256', 128: 'sha512' };
const digests = Object.values(digestOfHexLength);
const base64 = /^[A-Za-z0-9+/]+$/;
const hexText = /^(?:[0-9A-Fa-f]{2})+$/;

/**
 * Hex, whose length tells the digest, or `<digest>:<base64>` in either alphabet with or without padding
 * (`extract_digest_and_algorithm` of swift/common/digest.py). `undefined` when it is neither, or no
 * digest of ours.
 */
export function findSignature(text: string): Signature | undefined {
  const colon = text.indexOf(':');
  if (colon < 0) {
    const digest = hexText.test(text) ? digestOfHexLength[text.length] : undefined;
    return digest && { digest, hex: text };
  }
  let value = text.slice(colon + 1).replace(/=+$/, '');
  if (/[-_]/.test(value) && !/[+/]/.test(value)) value = value.replaceAll('-', '+').replaceAll('_', '/');
  if (!base64.test(value) || value.length % 4 === 1) return undefined;
  const digest = digests.find((name) => name === text.slice(0, colon));
  return digest && { digest, hex: Buffer.from(value, 'base64').toString('hex') };
}

/** True if one of the keys signed the message so. All keys are tried, each in constant time. */
export function isSignedBy(keys: readonly string[], message: string, { digest, hex }: Signature): boolean {
  let isSigned = false;
  for (const key of keys) {
    const expected = createHmac(digest, key).update(message, 'utf8').digest('hex');
    if (isSameSecret(hex, expected)) isSigned = true;
  }
  return isSigned;
}
