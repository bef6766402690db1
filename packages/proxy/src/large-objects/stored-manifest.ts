import { type Metadata, manifestNames, type ObjectRecord, type OpenObject } from '@zerocloud/object-server';
import { readWholeBody } from '../http/whole-body';

/**
 * A static large object is an object whose body is a list of segments, as JSON, and whose system metadata say what the
 * whole is: its etag and its length. A dynamic one is an object that names a container and a prefix. Both forms, and
 * the names of the metadata, are those of Swift (swift/common/middleware/slo.py, dlo.py).
 */
export const wholeEtagName = manifestNames.static;
export const wholeSizeName = 'x-object-sysmeta-slo-size';
export const dynamicName = manifestNames.dynamic;

/** A segment that is an object, or a part of one. Its size and hash are those of the object, not of the part. */
export interface ObjectSegment {
  /** `/<container>/<object>`, in the account of the manifest. */
  name: string;
  bytes: number;
  hash: string;
  content_type: string;
  last_modified: string;
  /** First and last byte, `0-99`. */
  range?: string;
  /** The segment is a static large object itself. */
  sub_slo?: true;
}

/** A segment inside the manifest. */
export interface DataSegment {
  /** Base64. */
  data: string;
}

export type Segment = ObjectSegment | DataSegment;

export function isStatic({ metadata }: Pick<ObjectRecord, 'metadata'>): boolean {
  return metadata[wholeEtagName] !== undefined;
}

export function isDynamic({ metadata }: Pick<ObjectRecord, 'metadata'>): boolean {
  return metadata[dynamicName] !== undefined;
}

/** True if the object stands for others. */
export function isManifest(record: Pick<ObjectRecord, 'metadata'>): boolean {
  return isStatic(record) || isDynamic(record);
}

/** True if an answer to `?multipart-manifest=get` is the manifest of a static large object. */
export function isInManifestForm(headers: Record<string, string>): boolean {
  return headers['x-static-large-object'] !== undefined;
}

/** Metadata of a large object without what makes it one: those of a copy that has the content. */
export function contentMetadata(metadata: Metadata): Metadata {
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !ownNames.has(name)));
}

/** Metadata that a reader of the whole is told besides. */
export const toldNames = {
  isStatic: 'x-static-large-object',
  etag: 'x-manifest-etag',
  parts: 'x-parts-count',
} as const;

const ownNames = new Set<string>([wholeEtagName, wholeSizeName, dynamicName, ...Object.values(toldNames)]);

/** Length and hash under which a listing shows an object: those of the whole, for a static large object. */
export function listedSize({ metadata, sizeBytes }: Pick<ObjectRecord, 'metadata' | 'sizeBytes'>): number {
  const size = metadata[wholeSizeName];
  return size === undefined ? sizeBytes : Number(size);
}

/** The segments of a manifest. The body was written by this server, so anything but a list is damage. */
export async function readSegments(manifest: OpenObject): Promise<Segment[]> {
  return JSON.parse((await readWholeBody(await manifest.read())).toString('utf8'));
}

/** Bytes that a segment adds to the whole. */
export function segmentBytes(segment: Segment): number {
  if ('data' in segment) return Buffer.byteLength(segment.data, 'base64');
  const { start, end } = segmentRange(segment);
  return end - start + 1;
}

/** First and last byte of the object that belong to the segment; `end` is -1 for an empty object. */
export function segmentRange({ range, bytes }: ObjectSegment): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: bytes - 1 };
  const [start, end] = range.split('-');
  return { start: Number(start), end: Number(end) };
}
