import type { IncomingHttpHeaders } from 'node:http';
import type { Metadata } from '@zerocloud/object-server';
import type { SwiftLimits } from '../config';
import { decodeHeaderTextLossless } from '../http/header-text';
import { readUserMetadata } from '../http/metadata';

export const userMetadataPrefix = 'x-object-meta-';

/** Headers besides the user's own that are kept with an object: `allowed_headers` of Swift's object server. */
const keptHeaders = [
  'content-disposition',
  'content-encoding',
  'cache-control',
  'content-language',
  'expires',
  'x-robots-tag',
  'x-object-manifest',
] as const;

/**
 * The metadata that a PUT, POST or copy sends, names in lower case, values as text. 400 for what no object may have.
 */
export function readMetadata(headers: IncomingHttpHeaders, limits: SwiftLimits): Metadata {
  const metadata = readUserMetadata(headers, 'object', limits);
  for (const name of keptHeaders) {
    const value = headers[name];
    if (value !== undefined) metadata[name] = decodeHeaderTextLossless(String(value));
  }
  // Only a subrequest has these: the gatekeeper takes them from clients.
  for (const name in headers) if (name.startsWith(systemPrefix)) metadata[name] = String(headers[name]);
  return metadata;
}

const systemPrefix = 'x-object-sysmeta-';
