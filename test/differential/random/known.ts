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
  /** The words of docs/api.md. */
  reason: string;
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
    reason: 'of several reasons to refuse a request another one may be told first',
    covers: ({ exchange, swift, ours }) => {
      if (swift.status < 300 || swift.status >= 500 || !(isRefusal(ours) || ours.status === 501)) return false;
      if (asksVersion(exchange)) return true;
      if (swift.status === 404 && ours.status === 406) return true;
      return !isRead(exchange) || (exchange.user !== undefined && swift.status !== ours.status);
    },
  },
  {
    reason:
      'the hidden containers of versions are counted, named by links to versions, and refuse before the object does',
    covers: ({ exchange, swift, ours, what }) =>
      what === 'header x-account-container-count' ||
      (swift.headers['content-location']?.includes('%00versions%00') && /version-id|content-location/.test(what)) ||
      ((isRefusal(ours) || exchange.method === 'OPTIONS') &&
        swift.headers['x-object-version-id'] !== undefined &&
        what.startsWith('header ')),
  },
  {
    reason: 'a 304 or 412 tells of the null version and of copies what others do not',
    covers: ({ ours, what }) => [304, 412].includes(ours.status) && /version-id|content-location/.test(what),
  },
  {
    reason: 'the null version is named where there never were others, and conditions on it are those of the current one',
    covers: ({ exchange, swift, what }) =>
      exchange.path.includes('version-id=null') && (what.endsWith('version-id') || [304, 412].includes(swift.status)),
  },
  {
    reason: '`?version-id` is ignored where versions go to another container, and 500 for PUT of `null`',
    covers: ({ exchange, swift, ours }) =>
      asksVersion(exchange) && ours.status === 400 && (swift.status === 500 || !exchange.path.includes('/v/')),
  },
  {
    reason: '`?symlink=get` of a version shows its own link to it',
    covers: ({ exchange: { path } }) => path.includes('/v/') && path.includes('symlink=get'),
  },
  {
    reason: 'a link in a container with versions may have a body, which nobody can read',
    covers: ({ ours }) => says(ours, /^Symlink requests require a zero byte body$/),
  },
  {
    reason: 'a container whose versions were switched off without ever having been on says so',
    covers: ({ swift, what }) =>
      what === 'header x-versions-enabled' && swift.headers['x-versions-enabled'] === 'False',
  },
  {
    reason: 'a container may have both kinds of versioning; a POST may make an object a manifest that is none',
    covers: ({ ours }) => says(ours, /legacy versioned writes|already using the legacy|format container.prefix/),
  },
  {
    reason: 'conditions of PUT, POST and DELETE are ignored',
    covers: ({ exchange, ours }) => ours.status === 501 && sends(exchange, /^if-/i),
  },
  {
    reason: 'the refusal of a wrong ETag tells when the object that was not stored was modified',
    covers: ({ ours, what }) => ours.status === 422 && what === 'header last-modified',
  },
  {
    reason: 'a range behind the end of a dynamic large object is 416 without its headers',
    covers: ({ exchange, swift, ours }) =>
      swift.status === 416 && sends(exchange, /^range$/i) && ours.headers['x-object-manifest'] !== undefined,
  },
  {
    reason: 'a dynamic large object whose `If-Match` holds is said to be `text/html`, and not to accept ranges',
    covers: ({ exchange, ours, what }) =>
      sends(exchange, /^if-match$/i) && ours.headers['x-object-manifest'] !== undefined && /type|ranges/.test(what),
  },
  {
    reason: 'the 412 to `?multipart-manifest=get` is said to be JSON',
    covers: ({ exchange, ours, what }) =>
      ours.status === 412 && exchange.path.includes('multipart-manifest=get') && what === 'header content-type',
  },
  {
    reason: 'a large object that breaks off after its first segment may be 500',
    covers: ({ swift, ours }) => swift.status === 500 && ours.status === 0,
  },
  {
    reason: 'account admins by ACL may PUT and delete the account',
    covers: ({ exchange, ours }) => exchange.method === 'PUT' && exchange.user !== undefined && ours.status === 403,
  },
  {
    reason: 'the 307 to a POST to a link tells scripts of other origins nothing',
    covers: ({ ours, what }) => ours.status === 307 && /^header (?:access-control|vary)/.test(what),
  },
  {
    reason: 'account ACLs are read as Latin-1',
    covers: ({ what }) => what === 'header x-account-access-control',
  },
  {
    reason: '`?part-number` is unknown to Swift 2.30',
    covers: ({ exchange }) => exchange.path.includes('part-number='),
  },
  {
    reason: 'OPTIONS and 405 allow what is there, though not COPY, and nothing at all to methods nobody knows',
    covers: ({ what }) => what === 'header allow',
  },
  {
    reason: 'a wrong Content-Length or a blank behind the name of a header is passed over',
    covers: ({ exchange, ours }) => exchange.raw !== undefined && [400, 405, 501].includes(ours.status),
  },
  {
    reason: 'answers nothing at all to a request now and then, whose body it has not read',
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
