import type { ByteRange, ObjectPath } from '@zerocloud/object-server';
import { SegmentError, type SegmentReader } from './segment-reader';
import { isStatic, readSegments, type Segment, segmentBytes, segmentRange } from './stored-manifest';

/** Bytes of one object, or bytes that are there already, in the order in which they make up the whole. */
export type Part =
  | { kind: 'data'; data: Buffer }
  | { kind: 'object'; path: ObjectPath; range: ByteRange; sizeBytes: number; etag?: string };

/** Manifests in manifests: Swift's `max_slo_recursion_depth`. */
const maxDepth = 10;

/**
 * What of which objects makes up a range of a static large object. Manifests among its segments are opened when their
 * turn comes, and only if the range touches them, so that memory holds one manifest per level.
 */
export async function* staticParts(
  reader: SegmentReader,
  account: string,
  segments: Segment[],
  range: ByteRange,
  depth = 1,
): AsyncGenerator<Part> {
  let { start, end } = range;
  let last: { name: string; segments: Segment[] } | undefined;
  for (const segment of segments) {
    const sizeBytes = segmentBytes(segment);
    if (end < 0) return;
    if (start < sizeBytes) {
      const first = Math.max(0, start);
      const final = Math.min(sizeBytes - 1, end);
      if ('data' in segment) {
        yield { kind: 'data', data: Buffer.from(segment.data, 'base64').subarray(first, final + 1) };
      } else {
        const offset = segmentRange(segment).start;
        const inside = { start: offset + first, end: offset + final };
        const path = segmentPath(account, segment.name);
        if (segment.sub_slo) {
          if (depth >= maxDepth) throw new SegmentError('max recursion depth was exceeded');
          if (last?.name !== segment.name) {
            last = { name: segment.name, segments: await readInnerManifest(reader, path) };
          }
          yield* staticParts(reader, account, last.segments, inside, depth + 1);
        } else {
          yield { kind: 'object', path, range: inside, sizeBytes: segment.bytes, etag: segment.hash };
        }
      }
    }
    start -= sizeBytes;
    end -= sizeBytes;
  }
}

async function readInnerManifest(reader: SegmentReader, path: ObjectPath): Promise<Segment[]> {
  const open = await reader.open(path);
  try {
    if (!isStatic(open.record)) throw new SegmentError(`/${path.container}/${path.object} is no manifest any more`);
    return await readSegments(open);
  } finally {
    open.close();
  }
}

export function segmentPath(account: string, name: string): ObjectPath {
  const path = name.replace(/^\/+/, '');
  const slash = path.indexOf('/');
  return { account, container: path.slice(0, slash), object: path.slice(slash + 1) };
}
