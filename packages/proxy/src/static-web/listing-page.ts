import { encodePath } from '../objects/copy-request';
import type { WebSettings } from './settings';

/** One entry of a container's listing in JSON. */
export type ListingEntry =
  | { subdir: string }
  | { name: string; bytes: number; content_type: string; last_modified: string };

export interface ListingPage {
  settings: WebSettings;
  /** Decoded path of the request. */
  path: string;
  /** What the names begin with; empty for the whole container. */
  prefix: string;
}

/** The page of a directory, byte for byte as swift/common/middleware/staticweb.py writes it. */
export function listingPage({ settings, path, prefix }: ListingPage, entries: ListingEntry[]): string {
  const title = escapeHtml(labelOf(settings, path));
  const rows: string[] = [];
  if (prefix !== '') rows.push(row('', 'parent', '../', '../', '&nbsp;', '&nbsp;'));
  for (const entry of entries) {
    if (!('subdir' in entry)) continue;
    const name = entry.subdir.slice(prefix.length);
    rows.push(row('item subdir', undefined, encodePath(name), escapeHtml(name), '&nbsp;', '&nbsp;'));
  }
  for (const entry of entries) {
    if ('subdir' in entry) continue;
    const name = entry.name.slice(prefix.length);
    const types = entry.content_type.split('/').map((part) => `type-${escapeHtml(part.toLowerCase())}`);
    const date = escapeHtml(entry.last_modified).split('.')[0]!.replace('T', ' ');
    const size = humanReadable(entry.bytes);
    rows.push(row(`item ${types.join(' ')}`, undefined, encodePath(name), escapeHtml(name), size, date));
  }
  return (
    `${docType}<html>\n <head>\n  <title>Listing of ${title}</title>\n${style(settings, prefix, listingStyle)}` +
    ` </head>\n <body>\n  <h1 id="title">Listing of ${title}</h1>\n  <table id="listing">\n   <tr id="heading">\n` +
    '    <th class="colname">Name</th>\n    <th class="colsize">Size</th>\n    <th class="coldate">Date</th>\n   </tr>\n' +
    `${rows.join('')}  </table>\n </body>\n</html>\n`
  );
}

/** The page of a directory that may not be listed. */
export function disabledPage({ settings, path, prefix }: ListingPage): string {
  const index = settings.index
    ? '<h1>Index File Not Found</h1> <p>The owner of this web site has set ' +
      ` <b>X-Container-Meta-Web-Index: ${escapeHtml(settings.index)}</b>.  However, this file is not found.</p>`
    : '';
  return (
    `${docType}<html>\n<head>\n<title>Listing of ${escapeHtml(labelOf(settings, path))}</title>\n` +
    `${style(settings, prefix, disabledStyle)}</head>\n<body>  <h1>Web Listing Disabled</h1>` +
    '   <p>The owner of this web site has disabled web listing.   <p>If you are the owner of this web site, you can enable' +
    `   web listing by setting X-Container-Meta-Web-Listings.</p>${index} </body>\n</html>\n`
  );
}

const docType =
  '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN" "http://www.w3.org/TR/html4/loose.dtd">\n';

const listingStyle =
  '   h1 {font-size: 1em; font-weight: bold;}\n   th {text-align: left; padding: 0px 1em 0px 1em;}\n' +
  '   td {padding: 0px 1em 0px 1em;}\n   a {text-decoration: none;}\n';
const disabledStyle = '   h1 {font-size: 1em; font-weight: bold;}\n   p {font-size: 2}\n';

function style({ css }: WebSettings, prefix: string, own: string): string {
  if (css === undefined) return `  <style type="text/css">\n${own}  </style>\n`;
  const isAbsolute = /^(?:\/|https?:\/\/)/.test(css);
  const href = isAbsolute
    ? encodePath(css).replaceAll('%3A', ':')
    : '../'.repeat(prefix.split('/').length - 1) + encodePath(css);
  return `  <link rel="stylesheet" type="text/css" href="${href}" />\n`;
}

function labelOf({ label }: WebSettings, path: string): string {
  return label === undefined ? path : `${label}/${path.split('/').slice(4).join('/')}`;
}

function row(kind: string, id: string | undefined, href: string, name: string, size: string, date: string): string {
  return (
    `   <tr ${id ? `id="${id}" class="item"` : `class="${kind}"`}>\n    <td class="colname"><a href="${href}">${name}</a></td>\n` +
    `    <td class="colsize">${size}</td>\n    <td class="coldate">${date}</td>\n   </tr>\n`
  );
}

/** 1048576 → `1Mi`. */
function humanReadable(bytes: number): string {
  let value = bytes;
  let index = -1;
  while (value >= 1024 && index + 1 < suffixes.length) {
    index++;
    value = Math.round(value / 1024);
  }
  return index < 0 ? String(value) : `${value}${suffixes[index]}i`;
}

const suffixes = 'KMGTPEZY';
const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
