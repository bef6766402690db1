import { rawQueryOf } from '../swift-path';

/** What a signed URL says of itself, as far as it can be read. */
export interface UrlParameters {
  signature: string;
  /** Seconds since the epoch in plain digits, as they were signed; `undefined` when unreadable or over. */
  expires?: string;
  prefix?: string;
  filename?: string;
  isInline: boolean;
  addressRange?: string;
}

const isoTime = /^(\d{4})-(\d{1,2})-(\d{1,2})T(\d{1,2}):(\d{1,2}):(\d{1,2})Z$/;

/** `undefined` for a URL without signature and time: an ordinary one. Of a doubled parameter the first counts. */
export function findUrlParameters(url: string, nowMs: number): UrlParameters | undefined {
  const query = new URLSearchParams(rawQueryOf(url));
  const signature = query.get('temp_url_sig');
  const expires = query.get('temp_url_expires');
  if (signature === null && expires === null) return undefined;
  return {
    signature: signature ?? '',
    expires: expires === null ? undefined : findFuture(expires, nowMs),
    prefix: query.get('temp_url_prefix') ?? undefined,
    filename: query.get('filename') ?? undefined,
    isInline: query.has('inline'),
    addressRange: query.get('temp_url_ip_range') || undefined,
  };
}

/** Seconds, or `2026-11-22T17:36:03Z`. What is signed is always the number. */
function findFuture(text: string, nowMs: number): string | undefined {
  const digits = /^\s*\+?0*(\d{1,16})\s*$/.exec(text)?.[1] ?? findIsoSeconds(text);
  return digits !== undefined && Number(digits) * 1000 >= nowMs ? digits : undefined;
}

function findIsoSeconds(text: string): string | undefined {
  const [year, month, day, hour, minute, second] = (isoTime.exec(text)?.slice(1) ?? []).map(Number);
  if (year === undefined) return undefined;
  const timeMs = Date.UTC(year, month! - 1, day, hour, minute, second);
  // Dates that roll over into the next month are none.
  return new Date(timeMs).getUTCDate() === day ? String(timeMs / 1000) : undefined;
}
