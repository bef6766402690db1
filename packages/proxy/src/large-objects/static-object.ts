import type { ByteRange, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import type { Deps } from '../context';
import { HttpError, htmlType } from '../errors';
import { type RangeSelection, selectRanges } from '../objects/ranges';
import type { LargeObject, WholeRecord } from './large-object';
import { type Demand, SegmentReader } from './segment-reader';
import { openParts, SegmentStream } from './segment-stream';
import { staticParts } from './static-parts';
import { readSegments, type Segment, segmentBytes, toldNames, wholeEtagName, wholeSizeName } from './stored-manifest';

/** What a reader is told of a static large object, from the record of its manifest. */
export function staticRecord(record: ObjectRecord): WholeRecord {
  return {
    ...record,
    sizeBytes: Number(record.metadata[wholeSizeName]),
    etag: record.metadata[wholeEtagName]!,
    metadata: { ...record.metadata, [toldNames.isStatic]: 'True', [toldNames.etag]: record.etag },
    quotesEtag: true,
  };
}

/**
 * The concatenation of the segments. `partNumber` is the parameter of that name, which asks for one segment of the
 * manifest (counted from 1), as in later versions of Swift.
 */
export async function openStatic(
  deps: Deps,
  demand: Demand,
  account: string,
  manifest: OpenObject,
  partNumber?: string,
): Promise<LargeObject> {
  const segments = await readSegments(manifest);
  const record = staticRecord(manifest.record);
  const reader = new SegmentReader(deps, demand);
  const part = partNumber === undefined ? undefined : findPart(segments, partNumber);
  if (part) record.metadata[toldNames.parts] = String(segments.length);
  return {
    record,
    select: (header): RangeSelection => {
      if (part && header !== undefined) {
        throw badRequest('Range requests are not supported with part number queries');
      }
      return part ? { kind: 'parts', parts: [part] } : selectRanges(header, record.sizeBytes);
    },
    read(range = { start: 0, end: record.sizeBytes - 1 }) {
      const parts = staticParts(reader, account, segments, range);
      return SegmentStream.open(openParts(reader, parts, range.end - range.start + 1));
    },
    close: () => undefined,
  };
}

function findPart(segments: Segment[], text: string): ByteRange {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1) throw badRequest('Part number must be an integer greater than 0');
  const segment = segments[number - 1];
  const sizeBytes = segment ? segmentBytes(segment) : 0;
  if (sizeBytes === 0) throw new HttpError(416);
  let start = 0;
  for (const before of segments.slice(0, number - 1)) start += segmentBytes(before);
  return { start, end: start + sizeBytes - 1 };
}

function badRequest(sentence: string): HttpError {
  return new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
}
