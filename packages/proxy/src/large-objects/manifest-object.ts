import { createHash } from 'node:crypto';
import type { OpenObject } from '@zerocloud/object-server';
import { pythonJson } from '../http/python-json';
import { readSegments, type Segment, toldNames } from './stored-manifest';

/**
 * The manifest of a static large object as it is stored, or in the form in which it could be sent again. (Swift tells
 * the manifest's own type for that one.)
 */
export async function openManifest(manifest: OpenObject, isRaw: boolean): Promise<OpenObject> {
  const { record } = manifest;
  const metadata = { ...record.metadata, [toldNames.isStatic]: 'True' };
  if (!isRaw) {
    return {
      record: { ...record, metadata, contentType: 'application/json; charset=utf-8' },
      read: (range) => manifest.read(range),
      close: () => manifest.close(),
    };
  }
  try {
    const body = Buffer.from(rawForm(await readSegments(manifest)));
    const etag = createHash('md5').update(body).digest('hex');
    return {
      record: { ...record, metadata, etag, sizeBytes: body.length },
      read: async (range) => (range ? body.subarray(range.start, range.end + 1) : body),
      close: () => undefined,
    };
  } finally {
    manifest.close();
  }
}

function rawForm(segments: Segment[]): string {
  const items = segments.map((segment) => {
    if ('data' in segment) return segment;
    const { name, bytes, hash, range } = segment;
    return { path: name, size_bytes: bytes, etag: hash, range };
  });
  return pythonJson(items, { sortKeys: true });
}
