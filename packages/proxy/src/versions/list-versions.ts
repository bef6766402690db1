import { type ContainerPath, nullVersion, type VersionEntry, type VersionListQuery } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import type { Query } from '../http/query';
import { negotiateListing } from '../listing/format';
import { readListQuery } from '../listing/query';
import { jsonRow } from '../listing/render';

const idForm = /^\d{10}\.\d{5}$/;

/** The parameters of `GET <container>?versions`, which answers with JSON or not at all. */
export function readVersionQuery(ctx: SwiftContext, query: Query, maxLimit: number): VersionListQuery {
  negotiateListing(query, ctx.req.headers.accept, ['application/json']);
  const list: VersionListQuery = readListQuery(query, maxLimit);
  // An id begins behind the name, so that no delimiter may look like a part of one.
  if (/[\d.]/.test(list.delimiter ?? '')) throw refused('invalid delimiter param');
  const versionMarker = query.get('version_marker');
  if (versionMarker === undefined) return list;
  if (list.marker === undefined) throw refused('version_marker param requires marker');
  if (versionMarker !== nullVersion && !idForm.test(versionMarker)) throw refused('invalid version_marker param');
  return { ...list, versionMarker };
}

/** Answers with every version of the container's objects; its headers are set already. */
export async function listVersions(
  ctx: SwiftContext,
  { node }: Deps,
  path: ContainerPath,
  list: VersionListQuery,
): Promise<void> {
  const entries = await node.listVersions(path, list);
  const rows = entries.map((entry) => ('subdir' in entry ? entry : versionRow(path.account, entry)));
  ctx.status = 200;
  ctx.set('Content-Type', 'application/json; charset=utf-8');
  ctx.body = Buffer.from(JSON.stringify(rows));
}

/** Columns in the order of Swift's. */
function versionRow(account: string, entry: VersionEntry) {
  const row = jsonRow(account, entry);
  const { versionId, isLatest } = entry;
  return versionId === nullVersion
    ? { ...row, version_id: versionId, is_latest: isLatest }
    : { ...row, is_latest: isLatest, version_id: versionId };
}

function refused(sentence: string): HttpError {
  return new HttpError(400, sentence, { headers: { 'content-type': htmlType } });
}
