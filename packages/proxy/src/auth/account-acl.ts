import type { AccountRecord, MetadataUpdate } from '@zerocloud/object-server';
import { HttpError } from '../errors';
import { decodeHeaderText } from '../http/header-text';

/**
 * Account ACLs, `X-Account-Access-Control`, as Swift's tempauth has them: JSON that names the groups which may do
 * everything an owner may (`admin`), use all containers (`read-write`), or look (`read-only`).
 */
export type AccountGrant = 'admin' | 'read-write' | 'read-only';

/** From the strongest to the weakest. */
const grants: AccountGrant[] = ['admin', 'read-write', 'read-only'];

/** System metadata, so no client reaches it but through the header. */
const storedName = 'x-account-sysmeta-core-access-control';

/** The strongest grant that one of the groups holds. */
export function findGrant(account: AccountRecord | undefined, groups: readonly string[]): AccountGrant | undefined {
  const stored = account?.metadata[storedName];
  if (!stored) return undefined;
  const acl = JSON.parse(stored) as Partial<Record<AccountGrant, string[]>>;
  return grants.find((grant) => acl[grant]?.some((grantee) => groups.includes(grantee)));
}

/** The header as an owner sees it. */
export function findAccountAclHeader(account: AccountRecord): string | undefined {
  return account.metadata[storedName];
}

/** The change that a request's header asks for; an empty ACL takes all rights back. 400 when it is no ACL. */
export function readAccountAcl(header: string | undefined): MetadataUpdate {
  if (header === undefined) return {};
  const acl = parse(header);
  return { [storedName]: Object.keys(acl).length === 0 ? undefined : asciiJson(acl) };
}

function parse(header: string): Record<string, string[]> {
  const text = decodeHeaderText(header);
  if (text === '') return {};
  let acl: unknown;
  try {
    acl = JSON.parse(text ?? '');
  } catch {
    throw invalid(`Syntax error in input ('${header}')`, header);
  }
  if (typeof acl !== 'object' || acl === null || Array.isArray(acl)) {
    throw invalid(`Syntax error in input ('${header}')`, header);
  }
  for (const key of Object.keys(acl)) {
    if (!grants.includes(key as AccountGrant)) throw invalid(`Key ${asciiJson(key)} not recognized`, header);
    const grantees: unknown = (acl as Record<string, unknown>)[key];
    if (!Array.isArray(grantees)) throw invalid(`Value for key ${asciiJson(key)} must be a list`, header);
    if (!grantees.every((grantee) => typeof grantee === 'string')) {
      throw invalid(`Elements of ${asciiJson(key)} list must be strings`, header);
    }
  }
  const given = acl as Record<string, string[]>;
  return Object.fromEntries(
    [...grants]
      .filter((grant) => given[grant])
      .sort()
      .map((grant) => [grant, given[grant]!]),
  );
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function invalid(problem: string, input: string): HttpError {
  return new HttpError(400, `X-Account-Access-Control invalid: ${problem}\n\nInput: ${input}\n`, {
    headers: { 'content-type': 'text/plain; charset=UTF-8' },
  });
}
