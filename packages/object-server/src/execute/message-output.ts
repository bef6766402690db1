import { type FileHandle, open } from 'node:fs/promises';
import type { Output } from '@zerocloud/sandbox';
import { StorageError } from '../errors';
import type { MessageHead, MessageRules, OutputTarget } from '../storage-node';
import { findExcess } from '../store/metadata-totals';
import { type FoundHead, findMessageHead, maxHeadBytes } from './message-head';

/** The head of an output whose channel is a message; only its first bytes are read. */
export async function findHead({ body }: Output, { form }: MessageRules): Promise<FoundHead | undefined> {
  if (body.kind === 'bytes') return findMessageHead(body.data, form);
  let file: FileHandle | undefined;
  try {
    file = await open(body.path, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(maxHeadBytes), 0, maxHeadBytes, 0);
    return findMessageHead(buffer.subarray(0, bytesRead), form);
  } finally {
    await file?.close();
  }
}

const metaPrefix = 'x-object-meta-';

/** Swift's longest header line: a type is shown with every listing. */
const maxContentTypeBytes = 8192;

/** Type and metadata that the head gives to the object its body becomes; `badMetadata` for what a PUT would refuse. */
export function targetOfMessage(target: OutputTarget, { headers }: MessageHead, rules: MessageRules): OutputTarget {
  const metadata = { ...target.metadata };
  let contentType = rules.defaultContentType;
  for (const [name, value] of headers) {
    if (name === 'content-type' && value !== '') contentType = textOf(value);
    if (name.startsWith(metaPrefix)) metadata[name.replaceAll('_', '-')] = textOf(value);
  }
  if (Buffer.byteLength(contentType) > maxContentTypeBytes) throw refused('Header value too long: Content-Type');
  checkMetadata(metadata, rules);
  return { ...target, contentType, metadata };
}

/** Swift's check_metadata, sentence by sentence (swift/common/constraints.py). */
function checkMetadata(metadata: Record<string, string>, rules: MessageRules): void {
  let totalBytes = 0;
  const entries = Object.entries(metadata);
  for (const [name, value] of entries) {
    const nameBytes = Buffer.byteLength(name) - metaPrefix.length;
    const valueBytes = Buffer.byteLength(value);
    if (nameBytes === 0) throw refused('Metadata name cannot be empty');
    if (nameBytes > rules.maxMetaNameLength) throw refused(`Metadata name too long: ${name}`);
    if (valueBytes > rules.maxMetaValueLength) {
      throw refused(`Metadata value longer than ${rules.maxMetaValueLength}: ${name}`);
    }
    totalBytes += nameBytes + valueBytes;
  }
  const excess = findExcess({ count: entries.length, sizeBytes: totalBytes }, rules);
  if (excess !== undefined) throw refused(excess);
}

/** UTF-8 where it is, else every byte a character. */
function textOf(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? latin1 : text;
}

function refused(sentence: string): StorageError {
  return new StorageError('badMetadata', sentence);
}
