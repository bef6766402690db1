import { randomBytes } from 'node:crypto';
import { isSameSecret, type UserTable } from '../../auth/users';
import type { User } from '../../config';
import type { SwiftContext } from '../../context';
import { S3Error } from '../errors';
import type { Credentials, SigningInput } from './credentials';
import { readSignatureV2 } from './signature-v2';
import { algorithm, readSignatureV4 } from './signature-v4';

export type SignatureVersion = 2 | 4;

/**
 * Which signature a request carries. `undefined`: it is none of S3's, and goes on to Swift. Costs requests of Swift a
 * look at one header, and those with parameters a look for two names.
 */
export function findSignatureVersion(ctx: SwiftContext): SignatureVersion | undefined {
  const { url = '', headers } = ctx.req;
  if (headers.authorization?.startsWith('AWS')) {
    if (headers.authorization.startsWith(`${algorithm} `)) return 4;
    if (headers.authorization.startsWith('AWS ')) return 2;
  }
  if (!url.includes('?')) return undefined;
  if (/[?&]X-Amz-Credential=/.test(url)) return 4;
  return /[?&]AWSAccessKeyId=/.test(url) ? 2 : undefined;
}

/** Reads a signature, and refuses one that is too old, too new, or not whole. */
export function readCredentials(version: SignatureVersion, input: SigningInput): Credentials {
  return version === 4 ? readSignatureV4(input) : readSignatureV2(input);
}

/** The user whose key made the signature. `SignatureDoesNotMatch` also for a user who is not there. */
export function getSigner(credentials: Credentials, users: UserTable): User {
  const { accessKey, signature } = credentials;
  const user = users.get(accessKey);
  const expected = credentials.sign(user?.key ?? nobodysKey);
  const isSame = expected.filter((good) => isSameSecret(signature, good)).length > 0;
  if (user && isSame) return user;
  throw new S3Error('SignatureDoesNotMatch', undefined, {
    AWSAccessKeyId: accessKey,
    StringToSign: textOf(credentials.stringToSign),
    SignatureProvided: signature,
    StringToSignBytes: hexOf(credentials.stringToSign),
    ...(credentials.canonicalRequest === undefined
      ? {}
      : {
          CanonicalRequest: textOf(credentials.canonicalRequest),
          CanonicalRequestBytes: hexOf(credentials.canonicalRequest),
        }),
  });
}

/** Unknown users cost the same work as known ones. */
const nobodysKey = randomBytes(32).toString('hex');

function textOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function hexOf(latin1: string): string {
  return Buffer.from(latin1, 'latin1')
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
}
