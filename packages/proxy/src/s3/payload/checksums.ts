import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as zlib from 'node:zlib';
import { Crc32 } from '@aws-crypto/crc32';
import { Crc32c } from '@aws-crypto/crc32c';
import { invalidArgument, notImplemented, S3Error } from '../errors';
import { Crc64 } from './crc64';

/** A running checksum of a body. */
export interface Checksum {
  update(chunk: Uint8Array): void;
  /** Base64, as S3 sends them. */
  digest(): string;
}

/** A checksum that a client announced, in a header with its value or to come in a trailer. */
export interface AnnouncedChecksum {
  /** `x-amz-checksum-crc32` … */
  header: string;
  /** Absent while it is still to come. */
  expected?: string;
  checksum: Checksum;
}

const prefix = 'x-amz-checksum-';
/** What begins like a checksum and is none. */
const notChecksums = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode']);

const algorithms: Record<string, () => Checksum> = {
  'x-amz-checksum-crc32': crc32,
  'x-amz-checksum-crc32c': () => ofCrc(new Crc32c()),
  'x-amz-checksum-crc64nvme': () => new Crc64(),
  'x-amz-checksum-sha1': () => ofHash('sha1'),
  'x-amz-checksum-sha256': () => ofHash('sha256'),
};

/** The one checksum a request may have. `NotImplemented` for kinds that cannot be checked here. */
export function findChecksum(headers: IncomingHttpHeaders, hasTrailer: boolean): AnnouncedChecksum | undefined {
  const sent = Object.keys(headers).filter((name) => name.startsWith(prefix) && !notChecksums.has(name));
  const trailer = headers['x-amz-trailer'];
  if (trailer !== undefined) {
    if (!hasTrailer || typeof trailer !== 'string') throw invalidArgument('x-amz-trailer', String(trailer));
    sent.push(trailer.trim().toLowerCase());
  }
  if (sent.length > 1) throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header');
  const [header] = sent;
  if (header === undefined) return undefined;
  const create = Object.hasOwn(algorithms, header) ? algorithms[header] : undefined;
  if (!create) throw notImplemented(`The checksum ${header} is not supported.`);
  const expected = trailer === undefined ? String(headers[header]) : undefined;
  return { header, expected, checksum: create() };
}

/** True for the checksum of an empty body. */
export function isChecksumOfNothing(header: string, value: string): boolean {
  return Object.hasOwn(algorithms, header) && algorithms[header]!().digest() === value;
}

/** Node's own, many times faster, where it is there (not in the first releases of Node 20). */
function crc32(): Checksum {
  const native = (zlib as { crc32?: (data: Uint8Array, value?: number) => number }).crc32;
  if (!native) return ofCrc(new Crc32());
  let value = 0;
  return {
    update: (chunk) => {
      value = native(chunk, value);
    },
    digest: () => base64Of(value),
  };
}

function ofCrc(crc: { update(chunk: Uint8Array): unknown; digest(): number }): Checksum {
  return { update: (chunk) => void crc.update(chunk), digest: () => base64Of(crc.digest()) };
}

function base64Of(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

function ofHash(algorithm: string): Checksum {
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest('base64') };
}
