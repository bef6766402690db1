import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { beginUpload, clientOf, codeOf, readText, uploadedTo } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

/** Which parts of multipart uploads must stay, because there is an object that is made of them, and which must not. */

let server: TestServer;
let client: S3Client;
let Bucket: string;
const Key = 'big';
let count = 0;

beforeAll(async () => {
  server = await startServer();
  client = clientOf(server);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});
beforeEach(async () => {
  Bucket = `kept-${++count}`;
  await client.send(new CreateBucketCommand({ Bucket }));
});
afterEach(() => jest.restoreAllMocks());

const configure = (Status: 'Enabled' | 'Suspended') =>
  client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
const put = (Body: string) => client.send(new PutObjectCommand({ Bucket, Key, Body }));
const read = (VersionId?: string) => readText(client, { Bucket, Key, VersionId });
const segments = () => uploadedTo(server, Bucket);

/** An upload with its one part there. */
const begin = (content: string) => beginUpload(client, { Bucket, Key }, [content]);

/** What a crash left when a completion was two steps: the object is there, and the upload, too. */
async function completeHalf(upload: Awaited<ReturnType<typeof begin>>) {
  const path = { account: 'AUTH_test', container: `${Bucket}+segments`, object: `${Key}/${upload.id}` };
  const { timestamp, contentType, metadata } = (await server.node.findObject(path))!;
  await upload.complete();
  const nothing = (async function* () {})();
  await server.node.putObject(path, nothing, { timestamp, contentType, metadata, maxBytes: 0 });
}

describe('in a bucket whose versions are suspended', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['an upload in one piece', () => put('new')],
    ['another one in parts', async () => (await begin('new')).complete()],
  ])('the parts of an object without id go when %s replaces it', async (_what, replace) => {
    await configure('Enabled');
    await configure('Suspended');
    await (await begin('old')).complete();
    const [old] = await segments();
    await replace();
    expect(await read()).toBe('new');
    expect(await segments()).not.toContain(old);
  });

  test('the parts of a version with an id stay', async () => {
    await configure('Enabled');
    const { VersionId } = await (await begin('old')).complete();
    await configure('Suspended');
    await put('new');
    expect(await read(VersionId)).toBe('old');
    await put('newer');
    expect(await read(VersionId)).toBe('old');
  });
});

test('a bucket that cannot go because of old versions loses none of their parts', async () => {
  await configure('Enabled');
  const { VersionId } = await (await begin('old')).complete();
  await client.send(new DeleteObjectCommand({ Bucket, Key }));
  expect(await codeOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty');
  expect(await read(VersionId)).toBe('old');
});

describe.each(['without', 'with'])('in a bucket %s versions', (versions) => {
  beforeEach(async () => {
    if (versions === 'with') await configure('Enabled');
  });

  test('an upload that is completed several times at once is one object, and can be read', async () => {
    const upload = await begin('content');
    await Promise.all([upload.complete(), upload.complete(), upload.complete()]);
    expect(await read()).toBe('content');
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toHaveLength(1);
  });

  test('an upload that is completed again after a crash is the object that it was', async () => {
    const upload = await begin('content');
    await completeHalf(upload);
    await upload.complete();
    expect(await read()).toBe('content');
    const { Versions } = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions).toHaveLength(1);
    expect(await segments()).toEqual([`${Key}/${upload.id}/1`]);
  });

  test('an upload that is aborted after a crash leaves the object that it became', async () => {
    const upload = await begin('content');
    await completeHalf(upload);
    expect(await codeOf(upload.abort())).toBe('NoSuchUpload');
    expect(await read()).toBe('content');
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(Uploads).toBeUndefined();
  });
});

test('an upload that is completed and aborted at once is either, and never half of both', async () => {
  for (let round = 0; round < 10; round++) {
    const upload = await begin('content');
    const order = round % 2 ? [upload.complete, upload.abort] : [upload.abort, upload.complete];
    const ends = await Promise.all(order.map((end) => codeOf(end())));
    expect(ends.sort()).toEqual(['NoSuchUpload', 'none']);
    const isThere = (await codeOf(read())) === 'none';
    if (isThere) await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await segments()).toEqual([]);
  }
});
