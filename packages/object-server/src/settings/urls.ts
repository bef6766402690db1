import { isIP } from 'node:net';
import { choice, integer, list, proxyRoles, type Setting, text } from './kinds';

const readBy = proxyRoles;

/** What signed URLs are signed with, as Node and Swift call them. */
export type Digest = 'sha1' | 'sha256' | 'sha512';

const digests = new Set<string>(['sha1', 'sha256', 'sha512']);
const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

function parseDigests(entries: string[]): Digest[] {
  return parseWords(entries, (word) => digests.has(word), 'no digest of sha1, sha256, sha512') as Digest[];
}

function parseMethods(entries: string[]): string[] {
  return parseWords(entries, (word) => methods.has(word), 'no method of GET, HEAD, PUT, POST, DELETE');
}

/** Names of headers in lower case; `x-object-meta-*` stands for all that begin so. */
function parseHeaderPatterns(entries: string[]): string[] {
  const names = entries.map((entry) => entry.toLowerCase());
  return parseWords(names, (name) => /^[a-z0-9_-]+\*?$/.test(name), 'no header');
}

/** `SERVICE=service`: accounts `SERVICE_…`, for members of the group `service`. */
function parseResellers(entries: string[]): { prefix: string; requireGroup?: string }[] {
  return entries.map((entry) => {
    const [, name, requireGroup] = /^([A-Za-z0-9]+)_?(?:=([^\s,=]+))?$/.exec(entry) ?? [];
    if (name === undefined) throw new Error(`names "${entry}", which is no PREFIX=group`);
    if (name === 'AUTH') throw new Error('names AUTH, whose accounts are there in any case');
    return { prefix: `${name}_`, requireGroup };
  });
}

/** Names of domains, with the dot that separates the hosts in them. */
function parseDomains(entries: string[]): string[] {
  return parseWords(entries, (entry) => /^\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(entry), 'no domain').map((entry) =>
    entry.startsWith('.') ? entry : `.${entry}`,
  );
}

function parseAddresses(entries: string[]): string[] {
  const isAddress = (entry: string) =>
    isIP(entry) !== 0 || isIP(/^\[?([^\]]*)\]?:\d{1,5}$/.exec(entry)?.[1] ?? '') !== 0;
  return parseWords(entries, isAddress, 'no address or address:port');
}

/** `1000=20`: from 1,000 objects on, 20 requests a second. By size. */
function parseRates(entries: string[]): { minObjects: number; perSecond: number }[] {
  const rates = entries.map((entry) => {
    const [, size, rate] = /^(\d{1,15})=(\d{1,9}(?:\.\d{1,6})?)$/.exec(entry) ?? [];
    if (size === undefined || !(Number(rate) > 0)) throw new Error(`names "${entry}", which is no objects=rate`);
    return { minObjects: Number(size), perSecond: Number(rate) };
  });
  return rates.sort((a, b) => a.minObjects - b.minObjects);
}

function parseWords(entries: string[], isKnown: (word: string) => boolean, problem: string): string[] {
  const wrong = entries.find((entry) => !isKnown(entry));
  if (wrong !== undefined) throw new Error(`names "${wrong}", which is ${problem}`);
  return entries;
}

/** Signed URLs and forms, web pages, names of hosts, rates. */
export const urlSettings = {
  tempUrlDigests: list('TEMP_URL_DIGESTS', {
    type: 'digest;…',
    readBy,
    defaultText: 'sha1;sha256;sha512',
    parseAll: parseDigests,
    sentence: 'Digests with which signed URLs and forms may be signed.',
  }),
  tempUrlMethods: list('TEMP_URL_METHODS', {
    type: 'method;…',
    readBy,
    defaultText: 'GET;HEAD;PUT;POST;DELETE',
    parseAll: parseMethods,
    sentence: 'Methods that a signed URL may be for.',
  }),
  tempUrlIncomingRemoveHeaders: list('TEMP_URL_INCOMING_REMOVE_HEADERS', {
    type: 'header or prefix*;…',
    readBy,
    defaultText: 'x-timestamp',
    parseAll: parseHeaderPatterns,
    sentence: 'Headers taken from requests by signed URLs.',
  }),
  tempUrlIncomingAllowHeaders: list('TEMP_URL_INCOMING_ALLOW_HEADERS', {
    type: 'header or prefix*;…',
    readBy,
    defaultText: '',
    parseAll: parseHeaderPatterns,
    sentence: 'Exceptions from that.',
  }),
  tempUrlOutgoingRemoveHeaders: list('TEMP_URL_OUTGOING_REMOVE_HEADERS', {
    type: 'header or prefix*;…',
    readBy,
    defaultText: 'x-object-meta-*',
    parseAll: parseHeaderPatterns,
    sentence: 'Headers taken from answers to signed URLs.',
  }),
  tempUrlOutgoingAllowHeaders: list('TEMP_URL_OUTGOING_ALLOW_HEADERS', {
    type: 'header or prefix*;…',
    readBy,
    defaultText: 'x-object-meta-public-*',
    parseAll: parseHeaderPatterns,
    sentence: 'Exceptions from that.',
  }),
  resellerPrefixes: list('RESELLER_PREFIXES', {
    type: 'PREFIX or PREFIX=group;…',
    readBy,
    defaultText: 'SERVICE=service',
    parseAll: parseResellers,
    sentence: 'Prefixes of accounts besides AUTH, each with the group that a request must bring besides the account.',
  }),
  storageDomains: list('STORAGE_DOMAIN', {
    type: 'domain;…',
    readBy,
    defaultText: '',
    parseAll: parseDomains,
    sentence:
      'Domains whose hosts stand for accounts and containers, container.AUTH-account.<domain>; none by default.',
  }),
  domainDefaultPrefix: text('DOMAIN_DEFAULT_PREFIX', {
    type: 'prefix without _',
    pattern: /^[A-Za-z0-9]+$/,
    readBy,
    default: '',
    defaultText: 'none',
    sentence: 'Prefix of the account of a host that names none.',
  }),
  cnameDepth: integer('CNAME_LOOKUP_DEPTH', {
    readBy,
    min: 0,
    max: 10,
    default: 0,
    sentence:
      'How many CNAMEs are followed from a foreign host to a storage domain; 0: none, foreign hosts are not looked at.',
  }),
  cnameServers: list('CNAME_NAMESERVERS', {
    type: 'address or address:port;…',
    readBy,
    defaultText: '',
    parseAll: parseAddresses,
    sentence: "Name servers that are asked for CNAMEs, if not the system's.",
  }),
  quoteEtags: choice('QUOTE_ETAGS', {
    of: ['no', 'yes'],
    readBy,
    default: 'no',
    sentence: 'Quotes around the ETags of objects where neither container nor account has a switch.',
  }),
  webUrlBase: text('STATIC_WEB_URL_BASE', {
    type: 'URL http(s)://host',
    pattern: /^https?:\/\/[A-Za-z0-9.:[\]-]+$/,
    readBy,
    default: '',
    defaultText: 'as the visitor came',
    sentence: 'What redirects of static web sites begin with, for servers behind a TLS proxy.',
  }),
  crossDomainPolicy: text('CROSS_DOMAIN_POLICY', {
    type: 'elements of XML',
    pattern: /^[^\0]+$/,
    readBy,
    default: '<allow-access-from domain="*" secure="false" />',
    sentence: 'Content of /crossdomain.xml.',
  }),
  healthDisableFile: text('HEALTHCHECK_DISABLE_FILE', {
    type: 'file',
    pattern: /^[^\0]+$/,
    readBy,
    default: '',
    defaultText: 'none',
    sentence: 'While this file exists /healthcheck answers 503.',
  }),
  accountRatelimit: integer('ACCOUNT_RATELIMIT', {
    readBy,
    min: 0,
    max: 1_000_000,
    default: 0,
    sentence: 'Containers of one account made or deleted a second; 0: as many as come.',
  }),
  containerRatelimits: list('CONTAINER_RATELIMITS', {
    type: 'objects=rate;…',
    readBy,
    defaultText: '',
    parseAll: parseRates,
    sentence: 'Objects written a second in one container, from that many objects in it on.',
  }),
  listingRatelimits: list('CONTAINER_LISTING_RATELIMITS', {
    type: 'objects=rate;…',
    readBy,
    defaultText: '',
    parseAll: parseRates,
    sentence: 'Listings of one container a second, from that many objects in it on.',
  }),
  ratelimitMaxSleepS: integer('RATELIMIT_MAX_SLEEP_S', {
    readBy,
    min: 1,
    max: 600,
    default: 60,
    sentence: 'Seconds that a request waits at most for its turn; one that would wait longer gets 498.',
  }),
  ratelimitBufferS: integer('RATELIMIT_BUFFER_S', {
    readBy,
    min: 0,
    max: 3600,
    default: 5,
    sentence: 'Seconds of rest that may be caught up without waiting.',
  }),
} satisfies Record<string, Setting<unknown>>;
