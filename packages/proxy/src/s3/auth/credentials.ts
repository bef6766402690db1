import type { SwiftContext } from '../../context';
import type { RawParameters, S3Parameters } from '../parameters';

/** What the signatures cover; every text is latin1, a character a byte, as it came. */
export interface SigningInput {
  ctx: SwiftContext;
  raw: RawParameters;
  params: S3Parameters;
  /** Set when the host names the bucket. */
  hostBucket?: string;
  nowMs: number;
  location: string;
  clockSkewS: number;
}

/** What a request shows to prove who it comes from. */
export interface Credentials {
  accessKey: string;
  signature: string;
  /** The texts that are signed, told to a client whose signature is another. */
  stringToSign: string;
  canonicalRequest?: string;
  /** The signatures under a secret that are good: that over `stringToSign`, and what clients make of it. */
  sign(secret: string): string[];
  /** For bodies whose chunks are signed, too; version 4 only. */
  chunks?: ChunkSigning;
}

/** Signatures of the chunks of one body, each over the one before. */
export interface ChunkSigning {
  amzDate: string;
  scope: string;
  seed: string;
  signingKey(secret: string): Buffer;
}

/** Node joins what came twice; signatures are over the lines as sent. */
export function linesOfHeaders(ctx: SwiftContext): Map<string, string[]> {
  const { rawHeaders } = ctx.req;
  const lines = new Map<string, string[]>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const known = lines.get(name);
    if (known) known.push(rawHeaders[i + 1]!);
    else lines.set(name, [rawHeaders[i + 1]!]);
  }
  return lines;
}

/** Milliseconds of an RFC 822 date with its zone; NaN for others. */
export function parseDate(text: string): number {
  return /^\s*(?:[a-z]{3,9},?\s+)?(?:\d|[a-z])/i.test(text) && /\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
}
