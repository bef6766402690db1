import { HttpError, htmlType } from '../errors';
import type { Query } from '../http/query';

export type ListingType = 'text/plain' | 'application/json' | 'application/xml' | 'text/xml';

/** In the order in which Swift prefers them when a client has no preference. */
const offered: ListingType[] = ['text/plain', 'application/json', 'application/xml', 'text/xml'];
const byFormat = new Map<string, ListingType>([
  ['plain', 'text/plain'],
  ['json', 'application/json'],
  ['xml', 'application/xml'],
]);

/**
 * Which form of a listing a client wants: `format=` wins over `Accept`, an unknown format means text. 406 when none of
 * `types` suits, 400 for an Accept header that cannot be read.
 */
export function negotiateListing(
  query: Query,
  accept: string | undefined,
  types: readonly ListingType[] = offered,
): ListingType {
  const format = query.get('format');
  if (format) {
    const named = byFormat.get(format.toLowerCase()) ?? 'text/plain';
    if (!types.includes(named)) throw new HttpError(406);
    return named;
  }
  const type = findAcceptedType(accept, types);
  if (!type) throw new HttpError(406);
  return type;
}

/** Which of the types an Accept header prefers; `undefined` for none of them. 400 for one that cannot be read. */
export function findAcceptedType(
  accept: string | undefined,
  types: readonly ListingType[] = offered,
): ListingType | undefined {
  return accept === undefined || accept === '' || accept === '*/*' ? types[0] : bestMatch(accept, types);
}

interface Range {
  type: string;
  subtype: string;
  quality: number;
}

/**
 * The range with the highest quality decides, an exact one before one with a star, then the order in the header; of
 * the types it covers, the one offered first. No backtracking: absurd headers cost what their length costs.
 */
function bestMatch(accept: string, types: readonly ListingType[]): ListingType | undefined {
  const ranges = accept.split(',').map(parseRange);
  ranges.sort((a, b) => b.quality - a.quality || Number(isExact(b)) - Number(isExact(a)));
  for (const range of ranges) {
    if (range.quality === 0) continue;
    const match = types.find((candidate) => {
      const [type, subtype] = candidate.split('/');
      return (range.type === '*' || range.type === type) && (range.subtype === '*' || range.subtype === subtype);
    });
    if (match) return match;
  }
  return undefined;
}

function isExact(range: Range): boolean {
  return range.type !== '*' && range.subtype !== '*';
}

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

function parseRange(text: string): Range {
  const [range = '', ...parameters] = text.split(';');
  const slash = range.indexOf('/');
  const type = range.slice(0, slash).trim().toLowerCase();
  const subtype = range
    .slice(slash + 1)
    .trim()
    .toLowerCase();
  if (slash < 0 || !token.test(type) || !token.test(subtype)) throw invalidAccept();
  let quality = 1;
  let seen = false;
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    if (parameter.slice(0, equals).trim().toLowerCase() !== 'q') continue;
    if (seen) throw invalidAccept();
    seen = true;
    quality = Number(parameter.slice(equals + 1).trim() || Number.NaN);
    if (!(quality >= 0 && quality <= 1)) throw invalidAccept();
  }
  return { type, subtype, quality };
}

function invalidAccept(): HttpError {
  return new HttpError(400, 'Invalid Accept header', { headers: { 'content-type': htmlType } });
}
