import { isUtf8 } from 'node:buffer';
import type { ObjectPath } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';
import { parseRanges, selectRanges } from '../objects/ranges';
import { segmentPath } from './static-parts';
import type { DataSegment } from './stored-manifest';

/** A segment as a client names it. What it says of the object is checked before the manifest is stored. */
export interface SubmittedSegment {
  /** `container/object`, with any number of slashes before it. */
  path: string;
  etag?: string;
  size_bytes?: number;
  /** `0-99`, `5-` or `-10`. */
  range?: string;
}

export type Submitted = SubmittedSegment | DataSegment;

/**
 * Reads what a client sent as a manifest, for the object at `target`. The rules and the sentences are those of
 * `parse_and_validate_input` in swift/common/middleware/slo.py; all faulty segments are named at once.
 */
export function readSubmitted(body: Buffer, target: ObjectPath): Submitted[] {
  const list = parseJson(body);
  if (!Array.isArray(list)) throw plain('Manifest must be a list.\n');
  const errors: string[] = [];
  const segments: Submitted[] = [];
  for (const [index, item] of list.entries()) {
    const result = readSegment(item, target, index === list.length - 1);
    if (typeof result === 'string') errors.push(`Index ${index}: ${result}\n`);
    else segments.push(result);
  }
  if (list.length > 0 && list.every((item) => isMap(item) && 'data' in item)) {
    errors.push('Inline data segments require at least one object-backed segment.\n');
  }
  if (errors.length > 0) throw new HttpError(400, errors.join(''), { headers: { 'content-type': 'text/plain' } });
  return segments;
}

function parseJson(body: Buffer): unknown {
  try {
    if (!isUtf8(body)) throw new SyntaxError('not UTF-8');
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw plain('Manifest must be valid JSON.\n');
  }
}

const allowed = { data: ['data'], path: ['path', 'range', 'etag', 'size_bytes'] };

/** The segment, or what is wrong with it. */
function readSegment(item: unknown, target: ObjectPath, isLast: boolean): Submitted | string {
  if (!isMap(item)) return 'not a JSON object';
  const kind = 'data' in item ? 'data' : 'path' in item ? 'path' : undefined;
  if (!kind) return "expected keys to include one of 'data' or 'path'";
  const extraneous = Object.keys(item).filter((key) => !allowed[kind].includes(key));
  if (extraneous.length > 0) {
    return `extraneous keys ${extraneous
      .sort()
      .map((key) => JSON.stringify(key))
      .join(', ')}`;
  }
  return kind === 'data' ? readData(item.data) : readPath(item, target, isLast);
}

function readData(text: unknown): DataSegment | string {
  const data = typeof text === 'string' ? findBase64(text) : undefined;
  if (!data) return 'data must be valid base64';
  if (data.length === 0) return tooSmall;
  return { data: data.toString('base64') };
}

const tooSmall = 'too small; each segment must be at least 1 byte.';

/** As Python decodes: padding may be longer than needed, not shorter. */
function findBase64(text: string): Buffer | undefined {
  const [, digits, padding] = /^([A-Za-z0-9+/]*)(=*)$/.exec(text) ?? [];
  if (digits === undefined || digits.length % 4 === 1) return undefined;
  return padding!.length >= (4 - (digits.length % 4)) % 4 ? Buffer.from(digits, 'base64') : undefined;
}

function readPath(item: Record<string, unknown>, target: ObjectPath, isLast: boolean): SubmittedSegment | string {
  const { path, etag = null, size_bytes: size = null } = item;
  if (typeof path !== 'string') return '"path" must be a string';
  if (etag !== null && typeof etag !== 'string') return '"etag" must be a string or null (if provided)';
  if (!/^\/*[^/]+\/+[^/]/s.test(path)) {
    return 'path does not refer to an object. Path must be of the form /container/object.';
  }
  const sizeBytes = size === null ? undefined : toInteger(size);
  if (sizeBytes !== undefined && Number.isNaN(sizeBytes)) return 'invalid size_bytes';
  if (sizeBytes !== undefined && sizeBytes < 1 && !isLast) return tooSmall;
  const { container, object } = segmentPath(target.account, path);
  if (container === target.container && object === target.object) {
    return 'manifest must not include itself as a segment';
  }
  const range = item.range ? String(item.range) : undefined;
  const problem = range === undefined ? undefined : findRangeProblem(range, sizeBytes);
  return problem ?? { path, etag: etag ?? undefined, size_bytes: sizeBytes, range };
}

function findRangeProblem(range: string, sizeBytes: number | undefined): string | undefined {
  const ranges = parseRanges(`bytes=${range}`);
  if (!ranges) return 'invalid range';
  if (ranges.length > 1) return 'multiple ranges (only one allowed)';
  if (sizeBytes === undefined || selectRanges(`bytes=${range}`, sizeBytes).kind !== 'unsatisfiable') return undefined;
  return 'unsatisfiable range';
}

/** Python's `int()`; NaN where that raises. */
function toInteger(value: unknown): number {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return Math.trunc(value);
  return typeof value === 'string' && /^\s*[+-]?\d+(_\d+)*\s*$/.test(value)
    ? Number(value.replaceAll('_', ''))
    : Number.NaN;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function plain(sentence: string): HttpError {
  return new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
}
