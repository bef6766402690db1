import { isUtf8 } from 'node:buffer';
import type { QueueLimits } from '../config';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { decodeHeaderText } from '../http/header-text';
import { isTrueValue, Query } from '../http/query';
import { readWholeBody } from '../http/whole-body';
import { UploadBody } from '../objects/upload-body';

export interface QueueQuery {
  limit: number;
  ttlS: number;
  echo: boolean;
}

/** `limit`, `ttl` and `echo`; what is larger than allowed counts as what is allowed. */
export function readQueueQuery(ctx: SwiftContext, max: { limit: number; ttlS: number }): QueueQuery {
  const query = new Query(ctx.req.url!);
  return {
    limit: readNumber(query, 'limit', 1, max.limit),
    ttlS: readNumber(query, 'ttl', max.ttlS, max.ttlS),
    echo: isTrueValue(query.get('echo')),
  };
}

function readNumber(query: Query, name: string, fallback: number, max: number): number {
  const text = query.get(name);
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,15}$/.test(text)) throw new HttpError(412, `${name} must be a number`);
  return Math.min(Number(text), max);
}

/** Longest Client-Id in bytes: two of them stand in the name of an object. */
const maxClientIdBytes = 256;

/** The header Client-Id; `undefined` when it is missing. */
export function findClientId(ctx: SwiftContext): string | undefined {
  const raw = ctx.req.headers['client-id'];
  if (typeof raw !== 'string' || raw === '') return undefined;
  const text = decodeHeaderText(raw);
  if (text === undefined || text.includes('/') || Buffer.byteLength(text) > maxClientIdBytes) {
    throw new HttpError(412, `Client-Id must be UTF-8 of at most ${maxClientIdBytes} bytes without slash`);
  }
  return text;
}

export function getClientId(ctx: SwiftContext): string {
  const id = findClientId(ctx);
  if (id === undefined) throw new HttpError(412, 'Client-Id header missing');
  return id;
}

/** The body of a message, as it came and as it reads. */
export async function readMessage(
  ctx: SwiftContext,
  deps: Deps,
  { maxMessageBytes }: QueueLimits,
): Promise<{ json: Buffer; data: unknown }> {
  const body = new UploadBody(ctx.req, deps.config.timeouts);
  const json = await readWholeBody(body, { maxBytes: maxMessageBytes, tooLarge: () => new HttpError(413) });
  try {
    if (!isUtf8(json)) throw new SyntaxError('no UTF-8');
    return { json, data: JSON.parse(json.toString('utf8')) };
  } catch (cause) {
    throw new HttpError(422, 'Could not load message content as JSON', { cause });
  }
}
