import { decodePercent, rawQueryOf } from '../swift-path';
import { S3Error } from './errors';

const maxParameters = 1000;

/** The parameters of a request target, in the order sent; names and values still percent-encoded. */
export type RawParameters = readonly (readonly [name: string, value: string])[];

export function splitParameters(url: string): RawParameters {
  const query = rawQueryOf(url);
  if (query === '') return [];
  return query
    .split('&', maxParameters)
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? ([part, ''] as const) : ([part.slice(0, equals), part.slice(equals + 1)] as const);
    });
}

/** The parameters decoded; of several with one name the last counts, as in Swift. `InvalidURI` if one is not UTF-8. */
export type S3Parameters = ReadonlyMap<string, string>;

export function decodeParameters(raw: RawParameters, url: string): S3Parameters {
  return new Map(raw.map(([name, value]) => [decodePlus(name, url), decodePlus(value, url)]));
}

function decodePlus(text: string, url: string): string {
  const decoded = decodePercent(text.replaceAll('+', ' '));
  if (decoded === undefined || decoded.includes('\0')) throw new S3Error('InvalidURI', undefined, { Uri: url });
  return decoded;
}
