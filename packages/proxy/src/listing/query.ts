import type { ListQuery, ObjectListQuery } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';
import { isTrueValue, type Query } from '../http/query';

/** The parameters that choose and order the entries of an account listing. 412 for a limit above `maxLimit`. */
export function readListQuery(query: Query, maxLimit: number): ListQuery {
  return {
    limit: readLimit(query, maxLimit),
    marker: query.get('marker') || undefined,
    endMarker: query.get('end_marker') || undefined,
    prefix: query.get('prefix') || undefined,
    delimiter: query.get('delimiter') || undefined,
    reverse: isTrueValue(query.get('reverse')),
  };
}

/** The same for a container listing, which also knows `path`; an empty path means the top level. */
export function readObjectListQuery(query: Query, maxLimit: number): ObjectListQuery {
  const list = readListQuery(query, maxLimit);
  const path = query.get('path');
  return path === undefined ? list : { ...list, path };
}

/** Anything but digits is no limit at all, as in Swift. */
function readLimit(query: Query, maxLimit: number): number {
  const given = query.get('limit');
  if (!given || !/^\d+$/.test(given)) return maxLimit;
  const limit = Number(given);
  if (limit > maxLimit) {
    throw new HttpError(412, `Maximum limit is ${maxLimit}`, { headers: { 'content-type': htmlType } });
  }
  return limit;
}
