import { decodePercent } from '../swift-path';

/** Container ACLs in the syntax of swift/common/middleware/acl.py, version 1. */
export interface Acl {
  /** `.r:` values in order, without the designator. */
  referrers: string[];
  /** Accounts, `account:user`s, `.rlistings`. */
  groups: string[];
}

const referrerDesignators = new Set(['.r', '.ref', '.referer', '.referrer']);

/** An ACL header that is no ACL; `message` is Swift's sentence. */
export class AclSyntaxError extends Error {}

/** The tidy form that is stored. `header` decides whether referrers are allowed. Throws `AclSyntaxError`. */
export function cleanAcl(header: 'x-container-read' | 'x-container-write', value: string): string {
  const cleaned: string[] = [];
  for (const item of value.split(',')) {
    const raw = item.trim();
    if (!raw) continue;
    const colon = raw.indexOf(':');
    const first = colon < 0 ? '' : raw.slice(0, colon).trim();
    if (!first.startsWith('.')) {
      cleaned.push(raw);
      continue;
    }
    if (!referrerDesignators.has(first)) {
      throw new AclSyntaxError(`Unknown designator ${quoted(first)} in ACL: ${quoted(raw)}`);
    }
    if (header === 'x-container-write') {
      throw new AclSyntaxError(`Referrers not allowed in write ACL: ${quoted(raw)}`);
    }
    let host = raw.slice(colon + 1).trim();
    const negate = host.startsWith('-');
    if (negate) host = host.slice(1).trim();
    if (host !== '*' && host.startsWith('*')) host = host.slice(1).trim();
    if (!host || host === '.') {
      throw new AclSyntaxError(`No host/domain value after referrer designation in ACL: ${quoted(raw)}`);
    }
    cleaned.push(`.r:${negate ? '-' : ''}${host}`);
  }
  return cleaned.join(',');
}

/** As Python's repr() shows a string in Swift's messages. */
function quoted(text: string): string {
  return text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replace(/[\\']/g, '\\$&')}'`;
}

export function parseAcl(acl: string): Acl {
  const parsed: Acl = { referrers: [], groups: [] };
  for (const item of acl.split(',')) {
    if (item.startsWith('.r:')) parsed.referrers.push(item.slice(3));
    else if (item) parsed.groups.push(decodePercent(item) ?? item);
  }
  return parsed;
}

/** The last matching designation decides; no Referer counts as host `unknown`. */
export function isReferrerAllowed(referer: string | undefined, referrers: string[]): boolean {
  if (referrers.length === 0) return false;
  const host = hostOf(referer) || 'unknown';
  let allowed = false;
  for (const designation of referrers) {
    const negated = designation.startsWith('-');
    const pattern = negated ? designation.slice(1) : designation;
    const matches = pattern === host || (pattern.startsWith('.') && host.endsWith(pattern));
    if (negated) {
      if (matches) allowed = false;
    } else if (matches || pattern === '*') {
      allowed = true;
    }
  }
  return allowed;
}

/** Host of `scheme://user@HOST:port/…`, lower-cased, as Python's urlparse finds it; empty if there is none. */
function hostOf(referer: string | undefined): string {
  const match = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)/i.exec(referer ?? '');
  if (!match) return '';
  const authority = match[1]!.slice(match[1]!.lastIndexOf('@') + 1);
  const host = authority.startsWith('[') ? authority.slice(1).split(']')[0]! : authority.split(':')[0]!;
  return host.toLowerCase();
}
