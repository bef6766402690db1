import {
  DeleteObjectCommand,
  GetBucketAclCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  ListObjectsCommand,
  type ObjectCannedACL,
  PutBucketAclCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { refusalOf, sendSigned } from '../support/s3';
import { clientOf, codeOf } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let owner: S3Client;
let guest: S3Client;
const Bucket = 'rights';
const allUsers = 'http://acs.amazonaws.com/groups/global/AllUsers';

beforeAll(async () => {
  server = await startServer({ env: { S3_PREFLIGHT_ORIGINS: 'https://console.test' } });
  owner = clientOf(server);
  guest = clientOf(server, 'test:tester3', 'testing3');
  await sendSigned(server, { method: 'PUT', path: `/${Bucket}` });
  await put('private');
});
afterAll(async () => {
  for (const client of [owner, guest]) client.destroy();
  await server.close();
});

const put = (Key: string, ACL?: ObjectCannedACL, by = owner) =>
  by.send(new PutObjectCommand({ Bucket, Key, Body: 'content', ACL }));
const read = (Key: string, by = guest) => codeOf(by.send(new GetObjectCommand({ Bucket, Key })));
const setBucket = (ACL: 'private' | 'public-read' | 'public-read-write') =>
  owner.send(new PutBucketAclCommand({ Bucket, ACL }));

test('what is private is for its owner', async () => {
  expect(await read('private', owner)).toBe('none');
  expect(await read('private')).toBe('AccessDenied');
  const head = { method: 'HEAD', path: `/${Bucket}/private` };
  expect((await sendSigned(server, head, { accessKey: 'test:tester3', secret: 'testing3' })).status).toBe(403);
  expect(await codeOf(guest.send(new ListObjectsCommand({ Bucket })))).toBe('AccessDenied');
  expect(await codeOf(put('x', undefined, guest))).toBe('AccessDenied');
  expect(await codeOf(guest.send(new DeleteObjectCommand({ Bucket, Key: 'private' })))).toBe('AccessDenied');
  expect(await codeOf(guest.send(new GetObjectAclCommand({ Bucket, Key: 'private' })))).toBe('AccessDenied');
  expect(await codeOf(guest.send(new GetBucketAclCommand({ Bucket })))).toBe('AccessDenied');
});

test('an object is for whom its list names', async () => {
  await put('public', 'public-read');
  expect(await read('public')).toBe('none');
  const { Grants, Owner } = await owner.send(new GetObjectAclCommand({ Bucket, Key: 'public' }));
  expect(Owner).toMatchObject({ ID: 'test:tester' });
  expect(Grants).toMatchObject([
    { Grantee: { Type: 'Group', URI: allUsers }, Permission: 'READ' },
    { Grantee: { Type: 'CanonicalUser', ID: 'test:tester' }, Permission: 'FULL_CONTROL' },
  ]);
});

test('a list changes in place: the object keeps its content, headers and metadata', async () => {
  const Metadata = { colour: 'red' };
  await owner.send(new PutObjectCommand({ Bucket, Key: 'changed', Body: 'content', Metadata, ContentType: 'text/x' }));
  await owner.send(new PutObjectAclCommand({ Bucket, Key: 'changed', GrantRead: 'id="test:tester3"' }));
  const answer = await guest.send(new GetObjectCommand({ Bucket, Key: 'changed' }));
  expect(answer).toMatchObject({ Metadata, ContentType: 'text/x', ContentLength: 7 });
  expect(await codeOf(guest.send(new PutObjectAclCommand({ Bucket, Key: 'changed', ACL: 'private' })))).toBe(
    'AccessDenied',
  );
  await owner.send(new PutObjectAclCommand({ Bucket, Key: 'changed', ACL: 'private' }));
  expect(await read('changed')).toBe('AccessDenied');
});

test('a bucket that all may write to takes objects that belong to who put them there', async () => {
  await setBucket('public-read-write');
  await put('of-guest', undefined, guest);
  const { Owner } = await guest.send(new GetObjectAclCommand({ Bucket, Key: 'of-guest' }));
  expect(Owner?.ID).toBe('test:tester3');
  expect(await read('of-guest', owner)).toBe('AccessDenied');
  await put('for-both', 'bucket-owner-read', guest);
  expect(await read('for-both', owner)).toBe('none');
  expect(await codeOf(guest.send(new ListObjectsCommand({ Bucket })))).toBe('none');
  await setBucket('private');
  expect(await codeOf(guest.send(new ListObjectsCommand({ Bucket })))).toBe('AccessDenied');
});

test('lists come as XML, and keep the owner they had', async () => {
  const grant = (ID: string) => ({ Grantee: { Type: 'CanonicalUser' as const, ID }, Permission: 'READ' as const });
  const policy = (ID: string) => ({ Owner: { ID }, Grants: [grant('test:tester3')] });
  await owner.send(new PutBucketAclCommand({ Bucket, AccessControlPolicy: policy('test:tester') }));
  expect(await codeOf(guest.send(new ListObjectsCommand({ Bucket })))).toBe('none');
  const stolen = new PutBucketAclCommand({ Bucket, AccessControlPolicy: policy('test:tester3') });
  expect(await codeOf(owner.send(stolen))).toBe('AccessDenied');
  await setBucket('private');
});

const policyOf = (grantee: string, permission = 'READ') =>
  '<AccessControlPolicy xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><Owner><ID>test:tester</ID></Owner>' +
  `<AccessControlList><Grant>${grantee}<Permission>${permission}</Permission></Grant></AccessControlList></AccessControlPolicy>`;
const user = (id: string) => `<Grantee xsi:type="CanonicalUser"><ID>${id}</ID></Grantee>`;

test.each<[string, { headers?: Record<string, string>; body?: string }, string]>([
  ['nothing', {}, '400 MissingSecurityHeader'],
  ['header and body', { headers: { 'x-amz-acl': 'private' }, body: policyOf(user('x')) }, '400 UnexpectedContent'],
  ['two kinds of headers', { headers: { 'x-amz-acl': 'private', 'x-amz-grant-read': 'id=x' } }, '400 InvalidRequest'],
  ['a canned list that nobody knows', { headers: { 'x-amz-acl': 'secret' } }, '400 InvalidArgument'],
  ['a mail address', { headers: { 'x-amz-grant-read': 'emailAddress=a@b.test' } }, '501 NotImplemented'],
  ['a group that nobody knows', { headers: { 'x-amz-grant-read': 'uri=http://x.test/' } }, '400 InvalidArgument'],
  ['a user who is called like a group', { headers: { 'x-amz-grant-read': 'id=AllUsers' } }, '400 InvalidArgument'],
  ['a user who is called like a group, in XML', { body: policyOf(user('AllUsers')) }, '400 InvalidArgument'],
  ['too many grants', { headers: { 'x-amz-grant-read': Array(101).fill('id=x').join(',') } }, '400 InvalidRequest'],
  ['a permission that nobody knows', { body: policyOf(user('x'), 'DANCE') }, '400 MalformedACLError'],
  ['a grantee without a type', { body: policyOf('<Grantee><ID>x</ID></Grantee>') }, '400 MalformedACLError'],
  ['no XML', { body: 'x' }, '400 MalformedACLError'],
  ['an entity', { body: `<!DOCTYPE x [<!ENTITY e "x">]>${policyOf(user('&e;'))}` }, '400 MalformedACLError'],
  ['more XML than any list needs', { body: policyOf(user('x'.repeat(210_000))) }, '400 MalformedXML'],
])('a list of %s is refused', async (_what, request, refusal) => {
  const response = await sendSigned(server, { method: 'PUT', path: `/${Bucket}`, query: { acl: '' }, ...request });
  expect(await refusalOf(response)).toBe(refusal);
});

test.each([
  ['test:tester', 200],
  ['AUTH_test', 200],
  ['test', 200],
  ['123456789012', 403],
])('a client that expects the bucket of %s: %d', async (expected, status) => {
  const headers = { 'x-amz-expected-bucket-owner': expected };
  expect((await sendSigned(server, { path: `/${Bucket}`, headers })).status).toBe(status);
});

test('in a read-only account nothing changes, rights included', async () => {
  const frozen = await startServer({ env: { READ_ONLY_ACCOUNTS: 'AUTH_test' } });
  try {
    const headers = { 'x-amz-acl': 'public-read' };
    for (const request of [
      { method: 'PUT', path: '/new' },
      { method: 'PUT', path: '/bucket', query: { acl: '' }, headers },
    ]) {
      expect(await refusalOf(await sendSigned(frozen, request))).toBe('403 AccessDenied');
    }
    expect((await sendSigned(frozen, { path: '/' })).status).toBe(200);
  } finally {
    await frozen.close();
  }
});

test('rights given by S3 are none in Swift', async () => {
  const token = { 'x-auth-token': await server.token('test:tester3', 'testing3') };
  expect((await server.request(`/v1/AUTH_test/${Bucket}/public`, { headers: token })).status).toBe(403);
});

describe('scripts in browsers', () => {
  const origin = 'https://console.test';
  const ask = (from: string) =>
    fetch(`${server.url}/${Bucket}/public`, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,x-amz-date',
      },
    });

  test('may ask from the origins of the setting', async () => {
    const allowed = await ask(origin);
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
    expect(allowed.headers.get('access-control-allow-headers')).toBe('authorization, x-amz-date');
    expect((await ask('https://other.test')).status).toBe(401);
  });

  test('see what the container permits', async () => {
    await server.request(`/v1/AUTH_test/${Bucket}`, {
      method: 'POST',
      headers: { 'x-container-meta-access-control-allow-origin': origin },
    });
    const response = await sendSigned(server, { path: `/${Bucket}/public`, headers: { origin } });
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('access-control-expose-headers')).toContain('x-amz-request-id');
  });
});
