import type { ByteRange } from '@zerocloud/object-server';

/** One element of a Range header. Without `start` it asks for the last `end` bytes, without `end` for the rest. */
interface RangeSpec {
  start?: number;
  end?: number;
}

/**
 * What a Range header means for a body of a given size: the whole body (no header, or one that RFC 7233 tells us to
 * ignore), nothing that exists (416), or one or more parts in the order asked for.
 */
export type RangeSelection = { kind: 'whole' } | { kind: 'unsatisfiable' } | { kind: 'parts'; parts: ByteRange[] };

const whole: RangeSelection = { kind: 'whole' };
const unsatisfiable: RangeSelection = { kind: 'unsatisfiable' };

/** Swift's bounds on greedy clients (RFC 7233, section 6.1), see `Range.ranges_for_length` in swift/common/swob.py. */
const maxRanges = 50;
const maxOverlaps = 2;
const minUnorderedRefused = 8;

export function selectRanges(header: string | undefined, sizeBytes: number): RangeSelection {
  const specs = header === undefined ? undefined : parseRanges(header);
  if (!specs) return whole;
  const parts = specs.flatMap((spec) => resolve(spec, sizeBytes) ?? []);
  if (sizeBytes === 0) {
    // "The last N bytes" of nothing are nothing: there are no indices to put into a Content-Range, so all is sent.
    return specs.some((spec) => spec.start === undefined && spec.end! > 0) ? whole : unsatisfiable;
  }
  return parts.length === 0 || isGreedy(parts) ? unsatisfiable : { kind: 'parts', parts };
}

/** `undefined` for a header that is to be ignored because some part of it is malformed. */
export function parseRanges(header: string): RangeSpec[] | undefined {
  const text = header.replaceAll(' ', '');
  if (!/^bytes=/i.test(text)) return undefined;
  const specs: RangeSpec[] = [];
  for (const item of text.slice('bytes='.length).split(',')) {
    const match = /^(\d*)-(\d*)$/.exec(item);
    if (!match || item === '-') return undefined;
    const start = match[1] ? Number(match[1]) : undefined;
    const end = match[2] ? Number(match[2]) : undefined;
    if (start !== undefined && end !== undefined && end < start) return undefined;
    specs.push({ start, end });
  }
  return specs;
}

function resolve({ start, end }: RangeSpec, sizeBytes: number): ByteRange | undefined {
  if (start === undefined) {
    return end === 0 || sizeBytes === 0 ? undefined : { start: Math.max(0, sizeBytes - end!), end: sizeBytes - 1 };
  }
  return start < sizeBytes ? { start, end: Math.min(end ?? sizeBytes - 1, sizeBytes - 1) } : undefined;
}

function isGreedy(parts: ByteRange[]): boolean {
  if (parts.length > maxRanges) return true;
  let overlaps = 0;
  for (let i = 0; i < parts.length; i++) {
    for (let j = i + 1; j < parts.length; j++) {
      if (isOverlap(parts[i]!, parts[j]!) && ++overlaps > maxOverlaps) return true;
    }
  }
  return parts.length >= minUnorderedRefused && parts.some((part, i) => i > 0 && part.start < parts[i - 1]!.start);
}

/** As Swift counts: one range ends or begins inside the other, so that equal ranges do not overlap. */
function isOverlap(a: ByteRange, b: ByteRange): boolean {
  const [endA, endB] = [a.end + 1, b.end + 1];
  return (
    (a.start < b.start && b.start < endA) ||
    (a.start < endB && endB < endA) ||
    (b.start < a.start && a.start < endB) ||
    (b.start < endA && endA < endB)
  );
}

/** Value of Content-Range for one part. */
export function contentRange(part: ByteRange, sizeBytes: number): string {
  return `bytes ${part.start}-${part.end}/${sizeBytes}`;
}
