import type { IncomingHttpHeaders } from 'node:http';
import { invalidArgument, notImplemented, S3Error } from './errors';
import { element, findChild, findText, parseXml, textElement, userElement, xmlDocument } from './xml';

/**
 * Access control lists of buckets and objects, stored as system metadata in the form that Swift's s3api stores them
 * with `s3_acl`: `{"Owner":"test:tester","Grant":[{"Permission":"READ","Grantee":"AllUsers"}]}`.
 */
export interface Acl {
  owner: string;
  grants: Grant[];
}

export interface Grant {
  permission: Permission;
  /** A user's id, or the name of a group. */
  grantee: string;
}

const permissions = ['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'] as const;
export type Permission = (typeof permissions)[number];

export const bucketAclName = 'x-container-sysmeta-s3api-acl';
export const objectAclName = 'x-object-sysmeta-s3api-acl';

const groups: Record<string, string> = {
  AllUsers: 'http://acs.amazonaws.com/groups/global/AllUsers',
  AuthenticatedUsers: 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers',
  LogDelivery: 'http://acs.amazonaws.com/groups/s3/LogDelivery',
};

/** As AWS has it; the encoded list must fit into metadata that every look at the object reads. */
const maxGrants = 100;
const maxEncodedBytes = 8192;
export const maxAclXmlBytes = 200 * 1024;

export function encodeAcl({ owner, grants }: Acl): string {
  const stored = grants.map(({ permission, grantee }) => ({ Permission: permission, Grantee: grantee }));
  const text = JSON.stringify({ Owner: owner, Grant: stored });
  if (grants.length > maxGrants || Buffer.byteLength(text) > maxEncodedBytes) {
    throw new S3Error('InvalidRequest', `An access control list has at most ${maxGrants} grants.`);
  }
  return text;
}

/** `undefined` for what nobody put there through S3. */
export function decodeAcl(text: string | undefined): Acl | undefined {
  if (!text) return undefined;
  const stored = JSON.parse(text) as { Owner?: string; Grant?: { Permission: Permission; Grantee: string }[] };
  if (!stored.Owner) return undefined;
  const grants = (stored.Grant ?? []).map(({ Permission: permission, Grantee: grantee }) => ({ permission, grantee }));
  return { owner: stored.Owner, grants };
}

/** Owners may do everything. Only signed requests come here, so everybody is an authenticated user. */
export function isAllowed({ owner, grants }: Acl, user: string, permission: Permission | 'OWNER'): boolean {
  if (owner === user) return true;
  if (permission === 'OWNER') return false;
  return grants.some(
    (grant) =>
      isMember(user, grant.grantee) && (grant.permission === permission || grant.permission === 'FULL_CONTROL'),
  );
}

function isMember(user: string, grantee: string): boolean {
  return user === grantee || grantee === 'AllUsers' || grantee === 'AuthenticatedUsers';
}

interface Owners {
  bucketOwner: string;
  /** Absent for the list of a bucket. */
  objectOwner?: string;
}

/** The list that headers ask for: `x-amz-acl` or `x-amz-grant-…`; `undefined` when they do not. */
export function findAclInHeaders(headers: IncomingHttpHeaders, owners: Owners): Acl | undefined {
  const owner = owners.objectOwner ?? owners.bucketOwner;
  const grants = permissions.flatMap((permission) => {
    const header = headers[`x-amz-grant-${permission.toLowerCase().replaceAll('_', '-')}`];
    return typeof header === 'string'
      ? header.split(',').map((text) => ({ permission, grantee: readGrantee(text) }))
      : [];
  });
  const canned = headers['x-amz-acl'];
  if (typeof canned !== 'string') return grants.length === 0 ? undefined : { owner, grants };
  if (grants.length > 0) {
    throw new S3Error('InvalidRequest', 'Specifying both Canned ACLs and Header Grants is not allowed');
  }
  const list = cannedGrants(owner, owners.bucketOwner)[canned];
  if (!list) throw invalidArgument('x-amz-acl', canned);
  return { owner, grants: list.map(([permission, grantee]) => ({ permission, grantee })) };
}

/** What a new bucket or object gets. */
export function getAclOfHeaders(headers: IncomingHttpHeaders, owners: Owners): Acl {
  const owner = owners.objectOwner ?? owners.bucketOwner;
  return findAclInHeaders(headers, owners) ?? { owner, grants: [{ permission: 'FULL_CONTROL', grantee: owner }] };
}

function cannedGrants(owner: string, bucketOwner: string): Partial<Record<string, [Permission, string][]>> {
  const own: [Permission, string] = ['FULL_CONTROL', owner];
  return {
    private: [own],
    'public-read': [['READ', 'AllUsers'], own],
    'public-read-write': [['READ', 'AllUsers'], ['WRITE', 'AllUsers'], own],
    'authenticated-read': [['READ', 'AuthenticatedUsers'], own],
    'bucket-owner-read': [['READ', bucketOwner], own],
    'bucket-owner-full-control': [own, ['FULL_CONTROL', bucketOwner]],
    'log-delivery-write': [['WRITE', 'LogDelivery'], ['READ_ACP', 'LogDelivery'], own],
  };
}

/** `id="test:tester"`, `uri="http://acs.amazonaws.com/…"`. */
function readGrantee(text: string): string {
  const equals = text.indexOf('=');
  if (equals < 0) throw new S3Error('InvalidRequest');
  const kind = text.slice(0, equals).trim().toLowerCase();
  const value = text
    .slice(equals + 1)
    .trim()
    .replace(/^["']+|["']+$/g, '');
  if (kind === 'id') return userOf(value);
  if (kind === 'uri') return groupOf(value);
  if (kind === 'emailaddress') throw notImplemented();
  throw invalidArgument(kind, value, 'Argument format not recognized');
}

function groupOf(uri: string): string {
  const name = Object.keys(groups).find((group) => groups[group] === uri);
  if (name === undefined) throw invalidArgument('uri', uri, 'Invalid group uri');
  return name;
}

/** A user whose id is the name of a group would become that group. */
function userOf(id: string): string {
  if (id === '' || Object.hasOwn(groups, id)) throw invalidArgument('id', id, 'Invalid id');
  return id;
}

/** `AccessControlPolicy` of a request. `MalformedACLError`. */
export function readAclXml(body: Buffer): Acl {
  try {
    const policy = parseXml(body, 'AccessControlPolicy');
    const owner = findChild(policy, 'Owner');
    const list = findChild(policy, 'AccessControlList');
    const id = owner && findText(owner, 'ID');
    if (!id || !list || policy.children.length !== 2) throw new S3Error('MalformedACLError');
    return { owner: id, grants: list.children.map(readGrant) };
  } catch (error) {
    throw error instanceof S3Error && error.code === 'MalformedXML' ? new S3Error('MalformedACLError') : error;
  }
}

function readGrant(grant: ReturnType<typeof parseXml>): Grant {
  const grantee = findChild(grant, 'Grantee');
  const permission = permissions.find((name) => name === findText(grant, 'Permission'));
  if (grant.name !== 'Grant' || !grantee || !permission) throw new S3Error('MalformedACLError');
  switch (grantee.attributes.type) {
    case 'CanonicalUser':
      return { permission, grantee: userOf(findText(grantee, 'ID') ?? '') };
    case 'Group':
      return { permission, grantee: groupOf(findText(grantee, 'URI') ?? '') };
    case 'AmazonCustomerByEmail':
      throw notImplemented();
    default:
      throw new S3Error('MalformedACLError');
  }
}

export function renderAcl({ owner, grants }: Acl): Buffer {
  const list = grants.map(({ permission, grantee }) =>
    element('Grant', renderGrantee(grantee), textElement('Permission', permission)),
  );
  return xmlDocument('AccessControlPolicy', userElement('Owner', owner), element('AccessControlList', ...list));
}

function renderGrantee(grantee: string): string {
  const group = groups[grantee];
  const head = (type: string) => `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}">`;
  const inner = group
    ? textElement('URI', group)
    : `${textElement('ID', grantee)}${textElement('DisplayName', grantee)}`;
  return `${head(group ? 'Group' : 'CanonicalUser')}${inner}</Grantee>`;
}
