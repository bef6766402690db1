import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ObjectPath } from '@zerocloud/object-server';
import { beginUpload, clientOf, codeOf, readText, uploadedTo } from '../support/s3-client';
import { startServer, type TestServer, testNodeKey } from '../support/server';

/** Requests of S3 that meet at the worst moment, at two proxies before one object server. */

let server: TestServer;
let other: TestServer;
let client: S3Client;
let elsewhere: S3Client;
let Bucket: string;
const Key = 'big';
let count = 0;

beforeAll(async () => {
  const env = { S3_MIN_PART_SIZE: '1' };
  server = await startServer({ split: true, env });
  other = await startServer({ env: { ...env, NODE_URL: server.nodeUrl!, NODE_KEY: testNodeKey } });
  client = clientOf(server);
  elsewhere = clientOf(other);
});
afterAll(async () => {
  client.destroy();
  elsewhere.destroy();
  await other.close();
  await server.close();
});
beforeEach(async () => {
  Bucket = `race-${++count}`;
  await client.send(new CreateBucketCommand({ Bucket }));
});
afterEach(() => jest.restoreAllMocks());

type Call = 'findObject' | 'putObject' | 'copyObject' | 'deleteObject' | 'deleteContainer';

/** Does something when the first proxy is about to do a call on what `isMeant` (anything by default), before it does. */
function justBefore(
  call: Call,
  meanwhile: () => Promise<unknown>,
  isMeant: (path: ObjectPath) => boolean = () => true,
) {
  const node = server.node as unknown as Record<Call, (...args: unknown[]) => Promise<unknown>>;
  const real = node[call].bind(node);
  let isDone = false;
  jest.spyOn(node, call).mockImplementation(async (...args) => {
    const path = args[call === 'copyObject' ? 1 : 0] as ObjectPath;
    if (!isDone && isMeant(path)) {
      isDone = true;
      await meanwhile();
    }
    return real(...args);
  });
}

const isInBucket = ({ container }: ObjectPath) => container === Bucket;
const isPart = ({ object }: ObjectPath) => /\/\d$/.test(object);

const put = (Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
const read = (VersionId?: string) => readText(client, { Bucket, Key, VersionId });
const segments = () => uploadedTo(server, Bucket);
const rawRead = (path: string) => server.request(`/v1/AUTH_test/${path}`);

const begin = (...contents: string[]) => beginUpload(client, { Bucket, Key }, contents);

test('a bucket that is deleted while an upload to it is completed keeps the object with all its bytes', async () => {
  const upload = await begin('content');
  let completed: string | undefined;
  const complete = async () => {
    completed ??= await codeOf(upload.complete(upload.named, elsewhere));
  };
  justBefore('deleteObject', complete);
  justBefore('deleteContainer', complete);
  expect(await codeOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty');
  expect(completed).toBe('none');
  expect(await read()).toBe('content');
});

test('an upload that is completed while its bucket is deleted leaves neither', async () => {
  const upload = await begin('content');
  justBefore('putObject', () => elsewhere.send(new DeleteBucketCommand({ Bucket })), isInBucket);
  expect(await codeOf(upload.complete())).toMatch(/^NoSuch(Bucket|Upload)$/);
  expect(await segments()).toEqual([]);
});

test('a bucket that is made anew while the old one is deleted keeps its uploads', async () => {
  await begin('old');
  let upload: Awaited<ReturnType<typeof begin>> | undefined;
  justBefore('deleteObject', async () => {
    await client.send(new CreateBucketCommand({ Bucket }));
    upload = await begin('new');
  });
  await elsewhere.send(new PutObjectCommand({ Bucket, Key: 'other', Body: 'x' }));
  await rawDelete('other');
  await client.send(new DeleteBucketCommand({ Bucket }));
  await upload!.complete();
  expect(await read()).toBe('new');
});

const rawDelete = (key: string) => other.request(`/v1/AUTH_test/${Bucket}/${key}`, { method: 'DELETE' });

test('of a completion and an abortion at two proxies only one is done', async () => {
  const upload = await begin('content');
  justBefore('putObject', () => upload.abort(elsewhere), isInBucket);
  expect(await codeOf(upload.complete())).toBe('NoSuchUpload');
  expect(await codeOf(read())).toBe('NoSuchKey');
  expect(await segments()).toEqual([]);
});

test('an upload that is aborted while its parts are looked at is no upload any more', async () => {
  const upload = await begin('one', 'two');
  justBefore('findObject', () => upload.abort(elsewhere), isPart);
  expect(await codeOf(upload.complete())).toBe('NoSuchUpload');
  expect(await segments()).toEqual([]);
});

test('of an abortion and a completion at two proxies only one is done', async () => {
  const upload = await begin('content');
  justBefore('deleteObject', () => upload.complete(upload.named, elsewhere));
  expect(await codeOf(upload.abort())).toBe('NoSuchUpload');
  expect(await read()).toBe('content');
});

test('of two completions with different parts at two proxies only one is done', async () => {
  const upload = await begin('one', 'two');
  justBefore('putObject', () => upload.complete([upload.named[1]!], elsewhere), isInBucket);
  expect(await codeOf(upload.complete([upload.named[0]!]))).toBe('NoSuchUpload');
  expect(await read()).toBe('two');
  expect(await segments()).toEqual([`${Key}/${upload.id}/2`]);
});

test('the same completion at two proxies is done once, and both hear of it', async () => {
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const upload = await begin('content');
  const ends = await Promise.all([client, elsewhere, client, elsewhere].map((at) => upload.complete(upload.named, at)));
  expect(new Set(ends.map(({ ETag }) => ETag)).size).toBe(1);
  expect(await read()).toBe('content');
  const listed = await rawRead(`${Bucket}?versions&format=json`);
  expect(await listed.json()).toHaveLength(1);
});

test('a copy of what is deleted meanwhile says so, and not that the bucket is gone', async () => {
  await put('content');
  justBefore('copyObject', () => elsewhere.send(new DeleteObjectCommand({ Bucket, Key })));
  const copy = client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/${Key}` }));
  expect(await codeOf(copy)).toBe('NoSuchKey');
});

test.each(['uploaded', 'copied'])(
  'a part that is %s while its upload is completed does not change the object',
  async (how) => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: 'another' }));
    const upload = await begin('content');
    justBefore(how === 'copied' ? 'copyObject' : 'putObject', () => upload.complete(upload.named, elsewhere), isPart);
    const target = { Bucket, Key, UploadId: upload.id, PartNumber: 1 };
    const late =
      how === 'copied'
        ? client.send(new UploadPartCopyCommand({ ...target, CopySource: `${Bucket}/source` }))
        : upload.uploadPart('another', 1);
    expect(await codeOf(late)).toBe('NoSuchUpload');
    expect(await read()).toBe('content');
    expect(await codeOf(upload.uploadPart('another', 1))).toBe('NoSuchUpload');
    expect(await read()).toBe('content');
  },
);

test('a part that comes between the look at all parts and the object is noticed', async () => {
  const upload = await begin('content');
  justBefore('putObject', () => upload.uploadPart('another', 1, elsewhere), isInBucket);
  expect(await codeOf(upload.complete())).toBe('InvalidPart');
  expect(await codeOf(read())).toBe('NoSuchKey');
  await upload.complete([{ PartNumber: 1, ETag: (await upload.uploadPart('third', 1)).ETag }]);
  expect(await read()).toBe('third');
});

test('a part that arrives while its upload is aborted does not stay behind', async () => {
  const upload = await begin('content');
  justBefore('putObject', () => upload.abort(elsewhere), isPart);
  expect(await codeOf(upload.uploadPart('late', 2))).toBe('NoSuchUpload');
  expect(await segments()).toEqual([]);
  expect((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads).toBeUndefined();
});

test('versions that begin to be kept while an object is replaced keep their parts', async () => {
  await (await begin('old')).complete();
  const enable = () =>
    elsewhere.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  justBefore('putObject', enable);
  await put('new');
  const listed = (await (await rawRead(`${Bucket}?versions&format=json`)).json()) as { version_id: string }[];
  expect(listed).toHaveLength(2);
  expect(await read(listed[1]!.version_id)).toBe('old');
});

test.each(['location', 'history'])('what goes to an archive of Swift (%s) keeps its parts', async (mode) => {
  const archive = `${Bucket}-archive`;
  await server.request(`/v1/AUTH_test/${archive}`, { method: 'PUT' });
  const headers = { [`x-${mode === 'history' ? 'history' : 'versions'}-location`]: archive };
  await server.request(`/v1/AUTH_test/${Bucket}`, { method: 'POST', headers });
  await (await begin('old')).complete();
  await put('new');
  const [name] = (await (await rawRead(archive)).text()).split('\n');
  const old = await rawRead(`${archive}/${name}`);
  expect([old.status, await old.text()]).toEqual([200, 'old']);
});
