import type { IncomingHttpHeaders } from 'node:http';
import { HttpError, htmlType } from '../errors';
import { decodeHeaderText } from '../http/header-text';
import { isTrueValue } from '../http/query';
import { guessMediaType } from './media-types';

export const defaultContentType = 'application/octet-stream';

/**
 * The content type an upload gets: the one it names, or one guessed from the object's name when it names none or asks
 * with `X-Detect-Content-Type`. 400 for types that are no text, or with parameters that Swift keeps for itself.
 */
export function readContentType(headers: IncomingHttpHeaders, object: string, fallback?: string): string {
  if (isTrueValue(headers['x-detect-content-type'])) return guessMediaType(object) ?? defaultContentType;
  const sent = headers['content-type'];
  if (!sent) return fallback ?? guessMediaType(object) ?? defaultContentType;
  const text = decodeHeaderText(sent);
  if (text === undefined) throw new HttpError(400, 'Invalid Content-Type');
  if (/;\s*swift_/.test(text)) {
    const sentence = 'Invalid Content-Type, swift_* is not a valid parameter name.';
    throw new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
  }
  return text;
}
