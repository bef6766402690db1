import type { Difference } from '../compare';
import type { Answer, Exchange } from '../exchange';

/** Both answers to one request, in which something differs. */
interface Pair {
  exchange: Exchange;
  swift: Answer;
  ours: Answer;
  what: Difference['what'];
}

interface Rule {
  /** The `in` of an entry in `known-differences.ts`. */
  name: string;
  covers(pair: Pair): boolean;
}

const isRefusal = ({ status }: Answer) => status >= 400 && status < 500;
const isRead = ({ method }: Exchange) => method === 'GET' || method === 'HEAD';
const sends = ({ headers }: Exchange, name: RegExp) => Object.keys(headers ?? {}).some((key) => name.test(key));
const asksVersion = ({ path }: Exchange) => path.includes('version-id');
const says = ({ body }: Answer, text: RegExp) => text.test(body.toString('latin1'));

/** Ways of Swift that random requests meet. The other suites have one case for most of them, which shows them for certain. */
export const rules: Rule[] = [
  {
    name: 'several reasons to refuse',
    covers: ({ exchange, swift, ours, what }) => {
      if (swift.status < 300 || (swift.status >= 500 && swift.status !== 501)) return false;
      if (!isRefusal(ours) && ours.status !== 501) return false;
      if (asksVersion(exchange)) return true;
      if (swift.status === ours.status && what !== 'body' && what !== 'header content-type') return false;
      if (swift.status === 404 && ours.status === 406) return true;
      return !isRead(exchange) || (exchange.user !== undefined && swift.status !== ours.status);
    },
  },
  {
    name: 'hidden containers',
    covers: ({ exchange, swift, ours, what }) =>
      what === 'header x-account-container-count' ||
      (swift.headers['content-location']?.includes('%00versions%00') && /version-id|content-location/.test(what)) ||
      ((isRefusal(ours) || exchange.method === 'OPTIONS') &&
        swift.headers['x-object-version-id'] !== undefined &&
        what.startsWith('header ')),
  },
  {
    name: '304 and 412',
    covers: ({ ours, what }) => [304, 412, 416].includes(ours.status) && /version-id|content-location/.test(what),
  },
  {
    name: 'the null version',
    covers: ({ exchange, swift, what }) =>
      exchange.path.includes('version-id=null') && (what.endsWith('version-id') || [304, 412].includes(swift.status)),
  },
  {
    name: 'version-id without versions',
    covers: ({ exchange, swift, ours }) =>
      asksVersion(exchange) && ours.status === 400 && (swift.status === 500 || !exchange.path.includes('/v/')),
  },
  {
    name: 'the link of a version',
    covers: ({ exchange: { path } }) => path.includes('/v/') && path.includes('symlink=get'),
  },
  {
    name: 'a link with a body',
    covers: ({ ours }) => says(ours, /^Symlink requests require a zero byte body$/),
  },
  {
    name: 'never had versions',
    covers: ({ swift, what }) =>
      what === 'header x-versions-enabled' && swift.headers['x-versions-enabled'] === 'False',
  },
  {
    name: 'settings that cannot be',
    covers: ({ ours }) => says(ours, /legacy versioned writes|already using the legacy|format container.prefix/),
  },
  {
    name: 'conditions of writes',
    covers: ({ exchange, ours }) => ours.status === 501 && sends(exchange, /^if-/i),
  },
  {
    name: 'a wrong ETag',
    covers: ({ ours, what }) => ours.status === 422 && what === 'header last-modified',
  },
  {
    name: 'a range behind a dynamic end',
    covers: ({ exchange, swift, ours }) =>
      swift.status === 416 && sends(exchange, /^range$/i) && ours.headers['x-object-manifest'] !== undefined,
  },
  {
    name: 'a dynamic If-Match',
    covers: ({ exchange, ours, what }) =>
      sends(exchange, /^if-match$/i) && ours.headers['x-object-manifest'] !== undefined && /type|ranges/.test(what),
  },
  {
    name: '412 to a manifest',
    covers: ({ exchange, ours, what }) =>
      ours.status === 412 && exchange.path.includes('multipart-manifest=get') && what === 'header content-type',
  },
  {
    name: 'a large object that breaks off',
    covers: ({ swift, ours }) => swift.status === 500 && ours.status === 0,
  },
  {
    name: 'account admins',
    covers: ({ exchange, ours }) => exchange.method === 'PUT' && exchange.user !== undefined && ours.status === 403,
  },
  {
    name: 'a link and scripts',
    covers: ({ ours, what }) => ours.status === 307 && /^header (?:access-control|vary)/.test(what),
  },
  {
    name: 'account ACLs',
    covers: ({ what }) => what === 'header x-account-access-control',
  },
  {
    name: 'part numbers',
    covers: ({ exchange }) => exchange.path.includes('part-number='),
  },
  {
    name: 'Allow',
    covers: ({ what }) => what === 'header allow',
  },
  {
    name: 'bad heads',
    covers: ({ exchange, ours }) => exchange.raw !== undefined && [400, 405, 501].includes(ours.status),
  },
  {
    name: 'a name twice in a bulk delete',
    covers: ({ exchange: { path, body }, what }) => {
      const names = String(body ?? '').split('\n');
      return path.includes('bulk-delete') && what === 'body' && new Set(names).size < names.length;
    },
  },
  {
    name: 'no answer',
    covers: ({ swift }) => swift.status === 0,
  },
];

export const isKnown = (pair: Pair): boolean => rules.some((rule) => rule.covers(pair));

/** The answer without what is each server's own, besides that which `compareAnswers` knows. */
export function masked(answer: Answer): Answer {
  const headers = { ...answer.headers };
  // A manifest holds the times of its segments.
  delete headers['x-manifest-etag'];
  if (/^1[789]\d{8}$/.test(headers['x-delete-at'] ?? '')) headers['x-delete-at'] = '(soon)';
  // Header lines of one name are joined by a comma, with a space here.
  for (const name in headers) if (name.includes('-meta-')) headers[name] = headers[name]!.replaceAll(', ', ',');
  return { ...answer, headers, body: Buffer.from(maskedText(answer.body)) };
}

function maskedText(body: Buffer): string | Buffer {
  const text = body.toString('utf8');
  // Segments are looked at side by side, and their errors come in any order.
  if (text.includes('Errors:')) return text.split('\n').sort().join('\n');
  if (text.includes('"Errors":'))
    return text
      .split(/[[\]]+,? ?/)
      .sort()
      .join('\n');
  if (text.includes('<errors>')) return text.split('\n').sort().join('\n');
  // Python's capitals.
  if (text.startsWith('Metadata ')) return text.toLowerCase();
  return text.startsWith('[{') ? maskedListing(text) : body;
}

function maskedListing(text: string): string {
  let list: Record<string, unknown>[];
  try {
    list = JSON.parse(text);
  } catch {
    return text;
  }
  return JSON.stringify(list.map((entry) => Object.fromEntries(Object.entries(entry).sort().map(maskedField(entry)))));
}

const maskedField =
  (entry: Record<string, unknown>) =>
  ([name, value]: [string, unknown]): [string, unknown] => {
    if (name === 'hash' && 'slo_etag' in entry) return [name, '(of a manifest)'];
    // Totals of accounts follow some time later.
    if ('count' in entry && (name === 'count' || name === 'bytes')) return [name, 0];
    return [name, value];
  };
