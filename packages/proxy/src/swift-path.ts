import { isUtf8 } from 'node:buffer';

/** `/v1/<account>[/<container>[/<object>]]`, percent-decoded; the object may contain slashes. */
export interface SwiftPath {
  /** First segment as sent, for example `v1` or `v1.0`. */
  version: string;
  account: string;
  container?: string;
  object?: string;
}

/** The path of a request target, without query, still percent-encoded. Accepts the absolute form of proxies. */
export function rawPathOf(url: string): string {
  let start = 0;
  if (url.charCodeAt(0) !== SLASH) {
    const authority = url.indexOf('://');
    if (authority < 0) return '/';
    start = url.indexOf('/', authority + 3);
    if (start < 0) return '/';
  }
  const query = url.indexOf('?', start);
  return query < 0 ? (start === 0 ? url : url.slice(start)) : url.slice(start, query);
}

/** What stands behind the first `?`, still percent-encoded; empty without one. */
export function rawQueryOf(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? '' : url.slice(query + 1);
}

const SLASH = 0x2f;
const PERCENT = 0x25;
const unusual = /[%\0\x80-\xff]/;

/**
 * Percent-decodes as Python's `unquote` does: a `%` without two hex digits stays as it is. `undefined` when the result
 * is not UTF-8. Characters above 0x7f in the input are raw bytes (Node hands header text over as latin1).
 */
export function decodePercent(text: string): string | undefined {
  if (!unusual.test(text)) return text;
  const source = Buffer.from(text, 'latin1');
  const target = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let i = 0; i < source.length; i++) {
    let byte = source[i]!;
    if (byte === PERCENT) {
      const high = hexDigit(source[i + 1]);
      const low = hexDigit(source[i + 2]);
      if (high >= 0 && low >= 0) {
        byte = high * 16 + low;
        i += 2;
      }
    }
    target[length++] = byte;
  }
  const bytes = target.subarray(0, length);
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/**
 * Splits a decoded path as Swift's `split_path(path, 1, 4, True)` does: `undefined` where that raises (answered 404).
 * Segments that are empty or missing are absent; `account` may be, so callers answer 412 "Bad URL" then.
 */
export function splitSwiftPath(path: string): Partial<SwiftPath> | undefined {
  if (path.charCodeAt(0) !== SLASH) return undefined;
  const first = path.indexOf('/', 1);
  if (first < 0) return path.length > 1 ? { version: path.slice(1) } : undefined;
  if (first === 1) return undefined;
  const version = path.slice(1, first);
  const second = path.indexOf('/', first + 1);
  if (second < 0) return { version, account: path.slice(first + 1) || undefined };
  const account = path.slice(first + 1, second) || undefined;
  const third = path.indexOf('/', second + 1);
  if (third < 0) return { version, account, container: path.slice(second + 1) || undefined };
  return {
    version,
    account,
    container: path.slice(second + 1, third) || undefined,
    object: path.slice(third + 1) || undefined,
  };
}
