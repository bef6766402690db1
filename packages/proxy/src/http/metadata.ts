import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { findExcess, type Metadata, type MetadataLimits, type MetadataUpdate } from '@zerocloud/object-server';
import type { SwiftLimits } from '../config';
import { HttpError } from '../errors';
import { decodeHeaderText, decodeHeaderTextLossless, encodeHeaderText, headerName } from './header-text';
import { InnerResponse } from './inner-response';
import { isInternalHeader } from './internal-headers';
import { setUncheckedHeader } from './unchecked-header';

export type MetadataOwner = 'account' | 'container' | 'object';

/**
 * The user's metadata of a request, `x-<owner>-meta-*`, checked as Swift's `check_metadata` does (sizes are bytes).
 * Keys are lower case with prefix, an underscore becomes a dash, as in every Swift (WSGI cannot tell them apart). Throws
 * the 400s. Values may be empty: for accounts and containers that means remove.
 */
export function readUserMetadata(headers: IncomingHttpHeaders, owner: MetadataOwner, limits: SwiftLimits): Metadata {
  const prefix = `x-${owner}-meta-`;
  const metadata: Metadata = {};
  let count = 0;
  let sizeBytes = 0;
  for (const header in headers) {
    const raw = headers[header];
    if (typeof raw !== 'string') continue;
    if (raw.length > limits.maxHeaderSize) {
      throw new HttpError(400, `Header value too long: ${header.slice(0, limits.maxMetaNameLength)}`);
    }
    if (!header.startsWith(prefix)) continue;
    const rawName = header.slice(prefix.length);
    if (rawName === '') throw new HttpError(400, 'Metadata name cannot be empty');
    let name = decodeHeaderText(rawName);
    let value = decodeHeaderText(raw);
    if (name === undefined || value === undefined || name.includes('\0')) {
      if (owner !== 'object') throw new HttpError(400, 'Metadata must be valid UTF-8');
      name = decodeHeaderTextLossless(rawName);
      value = decodeHeaderTextLossless(raw);
    }
    count++;
    sizeBytes += rawName.length + raw.length;
    if (rawName.length > limits.maxMetaNameLength) {
      throw new HttpError(400, `Metadata name too long: ${prefix}${headerName(name)}`);
    }
    if (raw.length > limits.maxMetaValueLength) {
      throw new HttpError(400, `Metadata value longer than ${limits.maxMetaValueLength}: ${prefix}${headerName(name)}`);
    }
    checkTotals({ count, sizeBytes }, limits);
    metadata[prefix + name.replaceAll('_', '-')] = value;
  }
  return metadata;
}

/**
 * What a PUT or POST of an account or container changes: empty values and `x-remove-<owner>-meta-*` remove, a value
 * sent along wins over a removal.
 */
export function readMetadataUpdate(
  headers: IncomingHttpHeaders,
  owner: 'account' | 'container',
  limits: SwiftLimits,
): MetadataUpdate {
  const update: MetadataUpdate = {};
  const removal = `x-remove-${owner}-meta-`;
  for (const header in headers) {
    if (!header.startsWith(removal)) continue;
    const name = decodeHeaderText(header.slice(removal.length));
    if (name) update[`x-${owner}-meta-${name.replaceAll('_', '-')}`] = undefined;
  }
  const given = readUserMetadata(headers, owner, limits);
  for (const name in given) update[name] = given[name] === '' ? undefined : given[name];
  return update;
}

/** 400 for more than one object, or one request, may carry. */
export function checkTotals(totals: { count: number; sizeBytes: number }, limits: SwiftLimits): void {
  const excess = findExcess(totals, limits);
  if (excess !== undefined) throw new HttpError(400, excess);
}

/** The limits of an account's or container's metadata, which the store checks on what an update makes of them. */
export function metadataLimits({ maxMetaCount, maxMetaOverallSize }: SwiftLimits): MetadataLimits {
  return { maxMetaCount, maxMetaOverallSize };
}

/**
 * Names that HTTP knows. Others are beyond ASCII, which Swift's clients are used to, or came by S3, which allows more
 * (and of which `_` is `=5f` here): those only S3 shows, for many clients drop an answer with such a name.
 */
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * Puts metadata into the response head, as UTF-8, names in Swift's capitals. System metadata stay inside: only
 * requests that the server makes of itself are told.
 */
export function setMetadataHeaders(res: ServerResponse, metadata: Metadata): void {
  for (const name in metadata) {
    if (isInternalHeader(name) && !(res instanceof InnerResponse)) continue;
    const rawName = encodeHeaderText(name);
    const value = encodeHeaderText(metadata[name]!);
    if (token.test(rawName)) res.setHeader(headerName(name), value);
    else if (rawName !== name || res instanceof InnerResponse) setUncheckedHeader(res, headerName(rawName), value);
  }
}
