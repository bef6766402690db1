import type { ContainerEntry, ContainerPath, ObjectEntry, SubdirEntry } from '@zerocloud/object-server';
import { isoTimestamp } from '../http/timestamp';
import { listedSize, wholeEtagName } from '../large-objects/stored-manifest';
import { s3EtagName } from '../s3/s3-etag';
import { linkColumns, locationOf } from '../symlinks/link';
import type { ListingType } from './format';
import { listedType } from './listed-type';

export type AccountListing = (ContainerEntry | SubdirEntry)[];
export type ContainerListing = (ObjectEntry | SubdirEntry)[];

/** The body of `GET /v1/<account>`. An empty text listing is empty. */
export function renderAccountListing(type: ListingType, account: string, entries: AccountListing): Buffer {
  if (type === 'text/plain') return renderText(entries);
  const rows = entries.map((entry) =>
    'subdir' in entry
      ? entry
      : {
          name: entry.name,
          count: entry.objectCount,
          bytes: entry.bytesUsed,
          last_modified: isoTimestamp(entry.putAt),
        },
  );
  if (type === 'application/json') return Buffer.from(JSON.stringify(rows));
  const lines = rows.map((row) =>
    'subdir' in row
      ? `<subdir name="${escapeAttribute(row.subdir)}" />\n`
      : `<container>${renderFields(row)}</container>\n`,
  );
  return Buffer.from(`${xmlHead}<account name="${escapeAttribute(account)}">\n${lines.join('')}</account>`);
}

/** The body of `GET /v1/<account>/<container>`. An empty text listing is empty. */
export function renderContainerListing(
  type: ListingType,
  { account, container }: ContainerPath,
  entries: ContainerListing,
): Buffer {
  if (type === 'text/plain') return renderText(entries);
  if (type === 'application/json') {
    return Buffer.from(
      JSON.stringify(entries.map((entry) => ('subdir' in entry ? entry : listedRow(account, container, entry)))),
    );
  }
  const parts = entries.map((entry) => {
    if (!('subdir' in entry)) {
      const { name, hash, bytes, content_type, last_modified } = objectRow(entry);
      return `<object>${renderFields({ name, hash, bytes, content_type, last_modified })}</object>`;
    }
    return `<subdir name="${escapeAttribute(entry.subdir)}"><name>${escapeText(entry.subdir)}</name></subdir>`;
  });
  return Buffer.from(`${xmlHead}${element('container', container, parts.join(''))}`);
}

const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** In a listing of current objects also which version they are. */
function listedRow(account: string, container: string, entry: ObjectEntry) {
  const row = jsonRow(account, entry);
  if (entry.versionId === undefined) return row;
  const path = `${locationOf({ account, container, object: entry.name })}?version-id=${entry.versionId}`;
  return { ...row, symlink_path: path, version_symlink: true };
}

/** What JSON listings tell of an object in the account. */
export function jsonRow(account: string, entry: ObjectEntry) {
  const link = linkColumns(account, entry);
  if (link) return { ...objectRow(entry), ...link };
  const { [s3EtagName]: s3Etag, [wholeEtagName]: wholeEtag } = entry.metadata;
  if (wholeEtag === undefined && !s3Etag) return objectRow(entry);
  return {
    ...objectRow(entry),
    ...(s3Etag && { s3_etag: `"${s3Etag}"` }),
    ...(wholeEtag && { slo_etag: `"${wholeEtag}"` }),
  };
}

function objectRow(entry: ObjectEntry) {
  return {
    bytes: listedSize(entry),
    hash: entry.etag,
    name: entry.name,
    content_type: listedType(entry.contentType),
    last_modified: isoTimestamp(entry.timestamp),
  };
}

function renderText(entries: (SubdirEntry | { name: string })[]): Buffer {
  let text = '';
  for (const entry of entries) text += `${'subdir' in entry ? entry.subdir : entry.name}\n`;
  return Buffer.from(text);
}

function renderFields(row: Record<string, string | number>): string {
  let xml = '';
  for (const name in row) xml += `<${name}>${escapeText(String(row[name]))}</${name}>`;
  return xml;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#09;',
};

/** An element without content is written as such, as Python does. */
function element(name: string, value: string, content: string): string {
  const start = `<${name} name="${escapeAttribute(value)}"`;
  return content === '' ? `${start} />` : `${start}>${content}</${name}>`;
}

function escapeText(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character]!);
}

function escapeAttribute(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (character) => entities[character]!);
}
