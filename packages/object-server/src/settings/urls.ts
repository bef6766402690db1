import { list, proxyRoles, type Setting } from './kinds';

const readBy = proxyRoles;

/** What signed URLs are signed with, as Node and Swift call them. */
export type Digest = 'sha1' | 'sha256' | 'sha512';

const digests = new Set<string>(['sha1', 'sha256', 'sha512']);
const methods = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

export function parseDigests(entries: string[]): Digest[] {
  return parseWords(entries, (word) => digests.has(word), 'no digest of sha1, sha256, sha512') as Digest[];
}

export function parseMethods(entries: string[]): string[] {
  return parseWords(entries, (word) => methods.has(word), 'no method of GET, HEAD, PUT, POST, DELETE');
}

/** Names of headers in lower case; `x-object-meta-*` stands for all that begin so. */
export function parseHeaderPatterns(entries: string[]): string[] {
  const names = entries.map((entry) => entry.toLowerCase());
  return parseWords(names, (name) => /^[a-z0-9_-]+\*?$/.test(name), 'no header');
}

/** `SERVICE=service`: accounts `SERVICE_…`, for members of the group `service`. */
export function parseResellers(entries: string[]): { prefix: string; requireGroup?: string }[] {
  return entries.map((entry) => {
    const [, name, requireGroup] = /^([A-Za-z0-9]+)_?(?:=([^\s,=]+))?$/.exec(entry) ?? [];
    if (name === undefined) throw new Error(`names "${entry}", which is no PREFIX=group`);
    if (name === 'AUTH') throw new Error('names AUTH, whose accounts are there in any case');
    return { prefix: `${name}_`, requireGroup };
  });
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
} satisfies Record<string, Setting<unknown>>;
