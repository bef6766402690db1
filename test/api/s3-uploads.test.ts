import { createHash, randomBytes } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  paginateListParts,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { refusalOf, sendSigned } from '../support/s3';
import { clientOf, codeOf } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let client: S3Client;
const Bucket = 'uploads';
const Key = 'dir/big ü';
const partBytes = 1000;

beforeAll(async () => {
  server = await startServer({
    env: { S3_MIN_PART_SIZE: String(partBytes), S3_MAX_UPLOAD_PARTS: '20', MAX_MANIFEST_SEGMENTS: '1' },
  });
  client = clientOf(server);
  await sendSigned(server, { method: 'PUT', path: `/${Bucket}` });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

const begin = async (more = {}) => {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  return UploadId!;
};
const uploadPart = async (UploadId: string, PartNumber: number, Body: Buffer) => {
  const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
  return { PartNumber, ETag };
};
const complete = (UploadId: string, Parts: { PartNumber?: number; ETag?: string }[]) =>
  client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
const abort = (UploadId: string) => client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
const segments = async () => {
  const response = await server.request(`/v1/AUTH_test/${Bucket}+segments?format=json`);
  return response.status === 200 ? ((await response.json()) as { name: string }[]).map(({ name }) => name) : [];
};
const md5 = (data: Buffer) => createHash('md5').update(data).digest();

describe('an upload in parts', () => {
  const parts = [randomBytes(partBytes), randomBytes(partBytes + 5), Buffer.from('the end')];
  const whole = Buffer.concat(parts);
  const etag = `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-3"`;

  test('becomes one object, with what it was begun with', async () => {
    const id = await begin({
      ContentType: 'text/x',
      Metadata: { a_b: 'c' },
      CacheControl: 'no-store',
      ACL: 'public-read',
    });
    const named = [];
    for (const [index, part] of parts.entries()) named.push(await uploadPart(id, index * 2 + 1, part));
    await uploadPart(id, 4, Buffer.from('not used'));
    const completed = await complete(id, named);
    expect(completed).toMatchObject({ Bucket, Key, ETag: etag });
    const answer = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(answer).toMatchObject({
      ContentType: 'text/x',
      Metadata: { a_b: 'c' },
      CacheControl: 'no-store',
      ETag: etag,
    });
    expect(Buffer.from(await answer.Body!.transformToByteArray()).equals(whole)).toBe(true);
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents).toMatchObject([{ Key, Size: whole.length, ETag: etag }]);
    const { Grants } = await client.send(new GetObjectAclCommand({ Bucket, Key }));
    expect(Grants).toHaveLength(2);
    expect(await segments()).toEqual([1, 3, 5].map((number) => `${Key}/${id}/${number}`));
    // Once more, as a client does that did not hear the answer.
    expect((await complete(id, named)).ETag).toBe(etag);
    expect(await codeOf(abort(id))).toBe('NoSuchUpload');
  });

  test('is read in part and on conditions like any other', async () => {
    const read = (more = {}) => client.send(new GetObjectCommand({ Bucket, Key, ...more }));
    const { Body } = await read({ Range: `bytes=${partBytes - 2}-${partBytes + 1}`, IfMatch: etag });
    expect(Buffer.from(await Body!.transformToByteArray())).toEqual(whole.subarray(partBytes - 2, partBytes + 2));
    expect(await codeOf(read({ IfMatch: '"other-3"' }))).toBe('PreconditionFailed');
    // By the tag that Swift has for it nobody knows it here.
    const swifts = (await server.request(`/v1/AUTH_test/${Bucket}/dir/big%20%C3%BC`, { method: 'HEAD' })).headers.get(
      'etag',
    );
    expect(await codeOf(read({ IfMatch: swifts! }))).toBe('PreconditionFailed');
  });

  test('goes with all its parts', async () => {
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await segments()).toEqual([]);
    expect(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key })))).toBe('NotFound');
  });
});

describe('parts', () => {
  test('are listed in order, page by page', async () => {
    const id = await begin();
    for (const number of [2, 10, 1]) await uploadPart(id, number, Buffer.from(`part ${number}`));
    const first = await client.send(new ListPartsCommand({ Bucket, Key, UploadId: id, MaxParts: 2 }));
    expect(first.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([1, 2]);
    expect(first.Parts![0]).toMatchObject({ Size: 6, ETag: `"${md5(Buffer.from('part 1')).toString('hex')}"` });
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const next = { Bucket, Key, UploadId: id, PartNumberMarker: first.NextPartNumberMarker };
    const second = await client.send(new ListPartsCommand(next));
    expect(second.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([10]);
    // The SDK asks on as long as it is told where to, truncated or not.
    const numbers: (number | undefined)[] = [];
    for await (const { Parts = [] } of paginateListParts({ client, pageSize: 1 }, { Bucket, Key, UploadId: id })) {
      numbers.push(...Parts.map(({ PartNumber }) => PartNumber));
      if (numbers.length > 3) break;
    }
    expect(numbers).toEqual([1, 2, 10]);
    await abort(id);
    expect(await segments()).toEqual([]);
  });

  test('are copies of objects, or of ranges of them', async () => {
    const source = randomBytes(3000);
    await sendSigned(server, {
      method: 'PUT',
      path: `/${Bucket}/source`,
      body: source,
      headers: { 'x-amz-meta-own': 'x' },
    });
    const id = await begin();
    const copy = async (PartNumber: number, more = {}) => {
      const CopySource = `${Bucket}/source`;
      const answer = await client.send(
        new UploadPartCopyCommand({ Bucket, Key, UploadId: id, PartNumber, CopySource, ...more }),
      );
      return { PartNumber, ETag: answer.CopyPartResult!.ETag };
    };
    const named = [await copy(1), await copy(2, { CopySourceRange: 'bytes=1000-1999' })];
    expect(await codeOf(copy(3, { CopySourceRange: 'bytes=3000-3001' }))).toBe('InvalidArgument');
    expect(await codeOf(copy(3, { CopySourceRange: 'bytes=1-' }))).toBe('InvalidArgument');
    expect(await codeOf(copy(3, { CopySource: `${Bucket}/nothing` }))).toBe('NoSuchKey');
    await complete(id, named);
    const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const expected = Buffer.concat([source, source.subarray(1000, 2000)]);
    expect(Buffer.from(await Body!.transformToByteArray()).equals(expected)).toBe(true);
    expect(Metadata).toEqual({});
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
  });

  test.each(['0', '21', '-1', 'x'])('have no number %s', async (partNumber) => {
    const path = `/${Bucket}/numbered`;
    const response = await sendSigned(server, { method: 'PUT', path, query: { partNumber, uploadId: 'x' }, body: 'x' });
    expect(await refusalOf(response)).toBe('400 InvalidArgument');
  });

  test('belong to an upload', async () => {
    const part = (query: Record<string, string>) =>
      sendSigned(server, { method: 'PUT', path: `/${Bucket}/orphan`, query: { partNumber: '1', ...query }, body: 'x' });
    expect(await refusalOf(await part({}))).toBe('400 InvalidArgument');
    expect(await refusalOf(await part({ uploadId: 'nothing' }))).toBe('404 NoSuchUpload');
    expect(await refusalOf(await part({ uploadId: '../other' }))).toBe('404 NoSuchUpload');
  });

  test('of one upload are no uploads themselves', async () => {
    const id = await begin();
    await uploadPart(id, 7, Buffer.from('seven'));
    const path = `/${Bucket}/dir/big%20%C3%BC/${id}`;
    expect(await refusalOf(await sendSigned(server, { path, query: { uploadId: '7' } }))).toBe('404 NoSuchUpload');
    await abort(id);
  });
});

describe('an upload cannot be completed', () => {
  let id: string;
  let named: { PartNumber: number; ETag?: string }[];
  beforeEach(async () => {
    id = await begin();
    named = [await uploadPart(id, 1, randomBytes(partBytes - 1)), await uploadPart(id, 2, Buffer.from('end'))];
  });
  afterEach(() => abort(id));

  test('with small parts, the last one excepted', async () => {
    expect(await codeOf(complete(id, named))).toBe('EntityTooSmall');
  });
  test('with parts out of order', async () => {
    expect(await codeOf(complete(id, [...named].reverse()))).toBe('InvalidPartOrder');
  });
  test('with parts that were not uploaded', async () => {
    expect(await codeOf(complete(id, [{ PartNumber: 3, ETag: named[1]!.ETag }]))).toBe('InvalidPart');
  });
  test('with parts that are others by now', async () => {
    await uploadPart(id, 2, Buffer.from('another'));
    expect(await codeOf(complete(id, [named[1]!]))).toBe('InvalidPart');
  });
  test('twice with other parts', async () => {
    await complete(id, [named[1]!]);
    expect(await codeOf(complete(id, [named[0]!]))).toBe('NoSuchUpload');
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    id = await begin();
  });
  test.each([
    ['', '400 InvalidRequest'],
    ['<CompleteMultipartUpload/>', '400 MalformedXML'],
    ['<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>', '400 MalformedXML'],
    [
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
      '400 InvalidPart',
    ],
    [
      '<CompleteMultipartUpload><Part><PartNumber>&x;</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
      '400 MalformedXML',
    ],
  ])('with the list %s', async (body, refusal) => {
    const request = { method: 'POST', path: `/${Bucket}/dir/big%20%C3%BC`, query: { uploadId: id }, body };
    expect(await refusalOf(await sendSigned(server, request))).toBe(refusal);
  });
});

describe('a multipart object', () => {
  const whole = Buffer.concat([Buffer.alloc(partBytes, 'a'), Buffer.from('b')]);
  const make = async () => {
    const id = await begin();
    const parts = [whole.subarray(0, partBytes), whole.subarray(partBytes)];
    const named = [];
    for (const [index, part] of parts.entries()) named.push(await uploadPart(id, index + 1, part));
    return (await complete(id, named)).ETag;
  };
  const read = async (key = Key) => {
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: key }));
    return { content: Buffer.from(await answer.Body!.transformToByteArray()), ...answer };
  };
  const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
  afterEach(() => client.send(new DeleteObjectCommand({ Bucket, Key })));

  test.each<[string, () => Promise<unknown>]>([
    ['an upload in one piece', () => client.send(new PutObjectCommand({ Bucket, Key, Body: 'new' }))],
    ['a copy', () => client.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/small` }))],
  ])('takes its parts along when %s replaces it', async (_what, replace) => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'small', Body: 'new' }));
    await make();
    await replace();
    expect((await read()).content.toString()).toBe('new');
    expect(await segments()).toEqual([]);
  });

  test('takes its parts along when another one replaces it', async () => {
    await make();
    await make();
    expect((await read()).content.equals(whole)).toBe(true);
    expect(await segments()).toHaveLength(2);
  });

  test('keeps its parts when it gets other headers', async () => {
    const etag = await make();
    const more = { MetadataDirective: 'REPLACE' as const, Metadata: { a: 'b' } };
    await client.send(new CopyObjectCommand({ Bucket, Key, CopySource, ...more }));
    const { content, ETag, Metadata } = await read();
    expect([content.equals(whole), ETag, Metadata]).toEqual([true, etag, { a: 'b' }]);
    expect(await segments()).toHaveLength(2);
  });

  test('is copied with its content, and the copy needs it no more', async () => {
    await make();
    const { CopyObjectResult } = await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    await client.send(new DeleteObjectCommand({ Bucket, Key }));
    const { content, ETag } = await read('copy');
    expect(content.equals(whole)).toBe(true);
    expect(ETag).toBe(`"${md5(whole).toString('hex')}"`);
    expect(CopyObjectResult?.ETag).toBe(ETag);
  });

  test('that a bucket keeps as a version keeps its parts', async () => {
    const target = { Bucket: 'kept', Key };
    await sendSigned(server, { method: 'PUT', path: '/kept' });
    const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
    await sendSigned(server, { method: 'PUT', path: '/kept', query: { versioning: '' }, body });
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    const { ETag } = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'one' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const { VersionId } = await client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }),
    );
    await client.send(new PutObjectCommand({ ...target, Body: 'two' }));
    await client.send(new DeleteObjectCommand(target));
    const { Body } = await client.send(new GetObjectCommand({ ...target, VersionId }));
    expect(await Body!.transformToString()).toBe('one');
  });
});

describe('uploads', () => {
  test('are listed by key, page by page, by prefix and delimiter', async () => {
    const keys = ['a', 'b/1', 'b/2', 'c', 'c'];
    const ids: string[] = [];
    for (const key of keys) ids.push(await begin({ Key: key }));
    const list = (more = {}) => client.send(new ListMultipartUploadsCommand({ Bucket, ...more }));
    const first = await list({ MaxUploads: 3 });
    expect(first.Uploads?.map(({ Key: key }) => key)).toEqual(keys.slice(0, 3));
    expect(first.IsTruncated).toBe(true);
    const rest = await list({ KeyMarker: first.NextKeyMarker, UploadIdMarker: first.NextUploadIdMarker });
    expect(rest.Uploads?.map(({ UploadId }) => UploadId).sort()).toEqual(ids.slice(3).sort());
    expect(rest.IsTruncated).toBe(false);
    expect((await list({ Prefix: 'b/' })).Uploads).toHaveLength(2);
    const grouped = await list({ Delimiter: '/', MaxUploads: 2 });
    expect([grouped.Uploads?.map(({ Key: key }) => key), grouped.CommonPrefixes]).toEqual([['a'], [{ Prefix: 'b/' }]]);
    const behind = await list({ Delimiter: '/', KeyMarker: grouped.NextKeyMarker });
    expect([behind.Uploads?.length, behind.CommonPrefixes]).toEqual([2, undefined]);
    for (const [index, key] of keys.entries()) {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key: key, UploadId: ids[index] }));
    }
    expect((await list()).Uploads).toBeUndefined();
  });

  test('that nobody finished go with their bucket', async () => {
    await sendSigned(server, { method: 'PUT', path: '/unfinished' });
    const target = { Bucket: 'unfinished', Key: 'k' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'unfinished' }));
    const names = await (await server.request('/v1/AUTH_test')).text();
    expect(names).not.toContain('unfinished');
  });
});
