import type { Answer, Exchange } from './exchange';

/** One thing in which two answers differ. */
export interface Difference {
  /** `status`, `reason`, `body`, or `header <name>`. */
  what: string;
  swift: string;
  ours: string;
}

/** Headers that say nothing about behaviour, or belong to the connection. */
const unimportant = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
  // Shown to reseller admins, which the suites are; there is no sharding here.
  'x-container-sharding',
  'x-openstack-request-id',
  'x-trans-id',
]);

export function compareAnswers(
  swift: Answer,
  ours: Answer,
  { ignore: ignored = [], show = (text) => text }: Pick<Exchange, 'ignore' | 'show'>,
): Difference[] {
  const differences: Difference[] = [];
  const check = (what: string, theirs: string, own: string) => {
    if (theirs !== own) differences.push({ what, swift: theirs, ours: own });
  };
  check('status', String(swift.status), String(ours.status));
  check('reason', swift.reason, ours.reason);
  const names = new Set([...Object.keys(swift.headers), ...Object.keys(ours.headers)]);
  for (const name of [...names].sort()) {
    if (unimportant.has(name) || ignored.includes(name)) continue;
    check(`header ${name}`, normaliseHeader(name, swift.headers[name]), normaliseHeader(name, ours.headers[name]));
  }
  if (!ignored.includes('body')) check('body', show(normaliseBody(swift)), show(normaliseBody(ours)));
  return differences;
}

/** Swift's totals of accounts follow the objects some time later (and on a test installation never). Policies have names. */
const lagging = /^x-account-(?:bytes-used|object-count|storage-policy-.*)$/;

const absent = '(none)';

function normaliseHeader(name: string, value: string | undefined): string {
  if (lagging.test(name)) return '(lags)';
  if (value === undefined) return absent;
  if (name === 'vary' || name.startsWith('access-control-')) return value.toLowerCase().split(/,\s*/).sort().join(', ');
  if (name === 'allow') return value.split(/,\s*/).sort().join(', ');
  if (name === 'content-type') return value.replace(/boundary=.*/, 'boundary=…');
  if (name === 'x-storage-policy') return '(policy)';
  return normaliseText(value);
}

function normaliseBody({ headers, body }: Answer): string {
  const boundary = /boundary="?([^";]+)/.exec(headers['content-type'] ?? '')?.[1];
  const text = body.toString('utf8');
  // Spaces and escapes in JSON are a matter of taste.
  if (headers['content-type']?.startsWith('application/json') && text !== '') return normaliseJson(text);
  return normaliseText(boundary ? text.replaceAll(boundary, '…') : text);
}

function normaliseJson(text: string): string {
  try {
    return normaliseText(JSON.stringify(JSON.parse(text)));
  } catch {
    return `no JSON: ${text}`;
  }
}

/** Times, transaction ids and addresses are each server's own; that they are there, and in which form, is compared. */
function normaliseText(text: string): string {
  return text
    .replace(/\btx[0-9a-f]{21}-[0-9a-f]{10}\b/g, '(transaction)')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+/g, '(time with fraction)')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '(time)')
    .replace(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g, '(date)')
    .replace(/\b1[789]\d{8}\.\d{5}\b/g, '(timestamp)')
    .replace(/"count":\d+,"bytes":\d+/g, '(lags)')
    .replace(/<count>\d+<\/count><bytes>\d+<\/bytes>/g, '(lags)')
    .replace(/\b\d{8}T\d{6}Z\b/g, '(time of a signature)')
    .replace(/<(StringToSignBytes|CanonicalRequestBytes|SignatureProvided)>[^<]*/g, '<$1>(signed)')
    .replace(/\n[0-9a-f]{64}(?=<)/g, '\n(hash)')
    .replace(/(?<=[>/=])[A-Za-z0-9]{48}(?=<)/g, '(upload)')
    .replace(/<(\w+)><\/\1>/g, '<$1/>')
    .replace(/\b127\.0\.0\.1:\d+/g, '(server)');
}
