import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from '../errors';

/** Ten digits, the most that Swift keeps of a time. */
const maxDeleteAt = 9_999_999_999;
const integer = /^\s*([+-]?\d+)\s*$/;

/**
 * When an object is to be deleted, in whole seconds since the epoch, from X-Delete-After or else X-Delete-At (the
 * former wins and hides the latter, as in `check_delete_headers` of swift/common/constraints.py). 400 for bad ones.
 */
export function readDeleteAt(headers: IncomingHttpHeaders, timestamp: string): number | undefined {
  const after = headers['x-delete-after'];
  if (after !== undefined) {
    const seconds = parseInteger(after, 'X-Delete-After');
    return inFuture(clamp(Math.floor(Number(timestamp) + seconds)), timestamp, 'X-Delete-After');
  }
  const at = headers['x-delete-at'];
  if (at === undefined) return undefined;
  return inFuture(clamp(parseInteger(at, 'X-Delete-At')), timestamp, 'X-Delete-At');
}

function parseInteger(value: string | string[], name: string): number {
  const match = integer.exec(String(value));
  if (!match) throw new HttpError(400, `Non-integer ${name}`);
  return Number(match[1]);
}

function clamp(seconds: number): number {
  return Math.min(Math.max(seconds, 0), maxDeleteAt);
}

function inFuture(deleteAt: number, timestamp: string, name: string): number {
  if (deleteAt <= Number(timestamp)) throw new HttpError(400, `${name} in past`);
  return deleteAt;
}
