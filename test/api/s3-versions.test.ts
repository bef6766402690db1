import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { refusalOf, sendSigned } from '../support/s3';
import { clientOf, codeOf, readText } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let client: S3Client;
const Bucket = 'versions';
const Key = 'dir/object';

const configure = (Status: 'Enabled' | 'Suspended') =>
  client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = async (Body: string) => (await client.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId!;
const read = (VersionId?: string) => readText(client, { Bucket, Key, VersionId });
const remove = (VersionId?: string) => client.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
const list = async () => {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  return {
    ids: Versions.map(({ VersionId }) => VersionId),
    latest: Versions.map(({ IsLatest }) => IsLatest),
    DeleteMarkers,
  };
};

beforeAll(async () => {
  server = await startServer();
  client = clientOf(server);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(() => sendSigned(server, { method: 'PUT', path: `/${Bucket}` }));
afterEach(async () => {
  const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  const Objects = [...Versions, ...DeleteMarkers].map(({ Key: key, VersionId }) => ({ Key: key!, VersionId }));
  if (Objects.length > 0) await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  expect((await sendSigned(server, { method: 'DELETE', path: `/${Bucket}` })).status).toBe(204);
});

test('a bucket says whether it keeps versions', async () => {
  const status = async () => (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status;
  expect(await status()).toBeUndefined();
  await configure('Suspended');
  expect(await status()).toBe('Suspended');
  await configure('Enabled');
  expect(await status()).toBe('Enabled');
});

test('each upload is a version of its own, the newest is current', async () => {
  await configure('Enabled');
  const [first, second] = [await put('one'), await put('two')];
  expect(await read()).toBe('two');
  expect(await read(first)).toBe('one');
  expect(await list()).toMatchObject({ ids: [second, first], latest: [true, false] });
});

test('a deletion hides the object, and can be taken back', async () => {
  await configure('Enabled');
  const id = await put('one');
  const { DeleteMarker, VersionId } = await remove();
  expect(DeleteMarker).toBe(true);
  expect(await codeOf(read())).toBe('NoSuchKey');
  expect((await client.send(new ListObjectsCommand({ Bucket }))).Contents).toBeUndefined();
  expect((await list()).DeleteMarkers).toMatchObject([{ VersionId, IsLatest: true, Key }]);
  expect(await read(id)).toBe('one');
  const marker = await sendSigned(server, { path: `/${Bucket}/${Key}`, query: { versionId: VersionId! } });
  expect(marker.headers.get('x-amz-delete-marker')).toBe('true');
  expect((await remove(VersionId)).DeleteMarker).toBe(true);
  expect(await read()).toBe('one');
});

test('a deleted version is gone, and the one before it is current', async () => {
  await configure('Enabled');
  const [first, second] = [await put('one'), await put('two')];
  expect((await remove(second)).VersionId).toBe(second);
  expect(await read()).toBe('one');
  expect(await codeOf(read(second))).toMatch(/NoSuch/);
  expect((await list()).ids).toEqual([first]);
});

test('an object from before has the version null', async () => {
  await put('before');
  await configure('Enabled');
  await put('after');
  expect(await list()).toMatchObject({ latest: [true, false] });
  expect(await read()).toBe('after');
});

test('an old version is copied, also onto the object itself', async () => {
  await configure('Enabled');
  const first = await put('one');
  await put('two');
  const CopySource = `${Bucket}/${Key}?versionId=${first}`;
  const { CopySourceVersionId } = await client.send(new CopyObjectCommand({ Bucket, Key, CopySource }));
  expect(CopySourceVersionId).toBe(first);
  expect(await read()).toBe('one');
});

test('another list of rights is no other version', async () => {
  await configure('Enabled');
  const id = await put('one');
  await client.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' }));
  expect((await list()).ids).toEqual([id]);
});

test('versions that there never were', async () => {
  await put('one');
  const of = (method: string) =>
    sendSigned(server, { method, path: `/${Bucket}/${Key}`, query: { versionId: '1.00000' } });
  expect(await refusalOf(await of('GET'))).toBe('404 NoSuchVersion');
  const gone = await of('DELETE');
  expect([gone.status, gone.headers.get('x-amz-version-id')]).toEqual([204, '1.00000']);
  expect(await read()).toBe('one');
  expect(await read('null')).toBe('one');
});

test.each([
  ['<VersioningConfiguration><Status>Disabled</Status></VersioningConfiguration>', '400 MalformedXML'],
  ['<VersioningConfiguration><Status>&xxe;</Status></VersioningConfiguration>', '400 MalformedXML'],
  ['<VersioningConfiguration><MfaDelete>Enabled</MfaDelete></VersioningConfiguration>', '501 NotImplemented'],
  ['', '400 MalformedXML'],
])('the configuration %s is refused', async (body, refusal) => {
  const request = { method: 'PUT', path: `/${Bucket}`, query: { versioning: '' }, body };
  expect(await refusalOf(await sendSigned(server, request))).toBe(refusal);
});
