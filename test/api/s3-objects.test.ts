import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { refusalOf, sendSigned, textOf } from '../support/s3';
import { clientOf, codeOf, readText } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
let client: S3Client;
const Bucket = 'objects';

const put = (Key: string, Body: string | Buffer = 'content', more = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const read = (Key: string, more = {}) => readText(client, { Bucket, Key, ...more });

beforeAll(async () => {
  server = await startServer();
  client = clientOf(server);
  await sendSigned(server, { method: 'PUT', path: `/${Bucket}` });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

describe('an object', () => {
  test('comes back with its headers and metadata, underscores among them', async () => {
    const Metadata = { colour: 'red', a_b: '1', 'a-b': '2' };
    const headers = {
      ContentType: 'text/x',
      CacheControl: 'no-store',
      ContentDisposition: 'inline',
      ContentLanguage: 'de',
    };
    await put('dir/größe & +%.txt', 'content', { ...headers, Metadata });
    const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'dir/größe & +%.txt' }));
    expect(answer).toMatchObject({ ...headers, Metadata, ContentLength: 7 });
    expect(await answer.Body!.transformToString()).toBe('content');
    expect(answer.ETag).toBe('"9a0364b9e99bb480dd25e1f0284c8555"');
  });

  test('has the type of S3 when it is given none', async () => {
    await sendSigned(server, { method: 'PUT', path: `/${Bucket}/untyped.txt`, headers: { 'content-type': '' } });
    const { ContentType } = await client.send(new HeadObjectCommand({ Bucket, Key: 'untyped.txt' }));
    expect(ContentType).toBe('binary/octet-stream');
  });

  test('is the same one that Swift knows', async () => {
    await put('shared');
    expect(await (await server.request('/v1/AUTH_test/objects/shared')).text()).toBe('content');
    await server.request('/v1/AUTH_test/objects/by-swift', { method: 'PUT', body: 'from Swift' });
    expect(await read('by-swift')).toBe('from Swift');
  });

  test('tells nothing of the server beside it', async () => {
    await put('quiet');
    const response = await sendSigned(server, { path: `/${Bucket}/quiet` });
    const names = [...response.headers.keys()].filter((name) => /sysmeta|x-timestamp|x-object/.test(name));
    expect(names).toEqual([]);
  });

  test('is read in part', async () => {
    await put('ranged', '0123456789');
    expect(await read('ranged', { Range: 'bytes=2-4' })).toBe('234');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'ranged', Range: 'bytes=-3' }));
    expect(head).toMatchObject({ ContentLength: 3, ContentRange: 'bytes 7-9/10' });
    expect(await codeOf(read('ranged', { Range: 'bytes=10-' }))).toBe('InvalidRange');
  });

  test('is read on conditions', async () => {
    const { ETag } = await put('conditional');
    expect(await read('conditional', { IfMatch: ETag })).toBe('content');
    expect(await codeOf(read('conditional', { IfMatch: '"other"' }))).toBe('PreconditionFailed');
    const unchanged = { path: `/${Bucket}/conditional`, headers: { 'if-none-match': ETag! } };
    expect((await sendSigned(server, unchanged)).status).toBe(304);
    expect(await codeOf(read('conditional', { IfUnmodifiedSince: new Date(0) }))).toBe('PreconditionFailed');
  });

  test('is answered with the headers that a signed request wants', async () => {
    await put('overridden');
    const command = new GetObjectCommand({
      Bucket,
      Key: 'overridden',
      ResponseContentType: 'text/y',
      ResponseContentDisposition: 'attachment; filename="x"',
      ResponseCacheControl: 'max-age=1',
    });
    const response = await fetch(await getSignedUrl(client, command));
    expect(response.headers.get('content-type')).toBe('text/y');
    expect(response.headers.get('cache-control')).toBe('max-age=1');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="x"');
    const query = { 'response-content-type': 'a\r\nx-injected: 1' };
    expect(await refusalOf(await sendSigned(server, { path: `/${Bucket}/overridden`, query }))).toBe(
      '400 InvalidArgument',
    );
  });

  test('that is not there is NoSuchKey, in a bucket that is not NoSuchBucket', async () => {
    expect(await codeOf(read('nothing'))).toBe('NoSuchKey');
    expect(await codeOf(client.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'x' })))).toBe('NoSuchBucket');
    const head = await sendSigned(server, { method: 'HEAD', path: `/${Bucket}/nothing` });
    expect([head.status, head.headers.get('content-length')]).toEqual([404, '0']);
  });

  test('goes, and goes again', async () => {
    await put('doomed');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'doomed' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'doomed' }));
    expect(await codeOf(read('doomed'))).toBe('NoSuchKey');
  });
});

describe('what is not honoured is refused', () => {
  test.each([
    ['if-none-match', '*', '501 NotImplemented'],
    ['if-match', 'x', '501 NotImplemented'],
    ['x-amz-tagging', 'a=b', '501 NotImplemented'],
    ['x-amz-server-side-encryption', 'AES256', '501 NotImplemented'],
    ['x-amz-server-side-encryption', 'rot13', '400 InvalidArgument'],
    ['x-amz-server-side-encryption-customer-key', 'x', '501 NotImplemented'],
    ['x-amz-storage-class', 'GLACIER', '400 InvalidStorageClass'],
    ['x-amz-object-lock-mode', 'GOVERNANCE', '501 NotImplemented'],
    ['x-amz-website-redirect-location', '/', '501 NotImplemented'],
    ['x-amz-security-token', 'x', '400 InvalidToken'],
    ['x-amz-metadata-directive', 'MOVE', '400 InvalidArgument'],
  ])('the header %s: %s', async (name, value, refusal) => {
    const request = { method: 'PUT', path: `/${Bucket}/refused`, headers: { [name]: value }, body: 'x' };
    expect(await refusalOf(await sendSigned(server, request))).toBe(refusal);
    expect((await sendSigned(server, { method: 'HEAD', path: `/${Bucket}/refused` })).status).toBe(404);
  });

  test.each(['DELETE', 'POST'])('a condition of %s', async (method) => {
    await put('conditional');
    const query = method === 'POST' ? { uploads: '' } : undefined;
    const headers = { 'if-match': '"other"' };
    const request = { method, path: `/${Bucket}/conditional`, query, headers };
    expect(await refusalOf(await sendSigned(server, request))).toBe('501 NotImplemented');
    expect(await read('conditional')).toBe('content');
  });

  test.each(['policy', 'cors', 'lifecycle', 'encryption', 'replication', 'website', 'object-lock', 'attributes'])(
    'the subresource %s',
    async (name) => {
      const path = `/${Bucket}`;
      expect(await refusalOf(await sendSigned(server, { path, query: { [name]: '' } }))).toBe('501 NotImplemented');
    },
  );

  test('methods that a resource has not', async () => {
    const response = await sendSigned(server, { method: 'POST', path: `/${Bucket}`, query: { acl: '' } });
    expect(await refusalOf(response)).toBe('405 MethodNotAllowed');
  });
});

describe('a copy', () => {
  const copy = (Key: string, source: string, more = {}) =>
    client.send(new CopyObjectCommand({ Bucket, Key, CopySource: source, ...more }));

  test('takes headers and metadata along, or gets others', async () => {
    await put('source', 'content', { ContentType: 'text/x', Metadata: { colour: 'red' } });
    const { CopyObjectResult } = await copy('kept', `${Bucket}/source`);
    expect(CopyObjectResult?.ETag).toBe('"9a0364b9e99bb480dd25e1f0284c8555"');
    const head = (Key: string) => client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(await head('kept')).toMatchObject({ ContentType: 'text/x', Metadata: { colour: 'red' } });
    const own = { MetadataDirective: 'REPLACE' as const, ContentType: 'text/y', Metadata: { size: 'big' } };
    await copy('replaced', `/${Bucket}/source`, own);
    expect(await head('replaced')).toMatchObject({ ContentType: 'text/y', Metadata: { size: 'big' } });
    await copy('source', `${Bucket}/source`, own);
    expect(await head('source')).toMatchObject({ ContentType: 'text/y' });
  });

  test('is made on conditions of its source', async () => {
    const { ETag } = await put('source', 'content');
    await copy('on-condition', `${Bucket}/source`, { CopySourceIfMatch: ETag });
    expect(await codeOf(copy('c', `${Bucket}/source`, { CopySourceIfMatch: '"x"' }))).toBe('PreconditionFailed');
    expect(await codeOf(copy('c', `${Bucket}/source`, { CopySourceIfNoneMatch: ETag }))).toBe('PreconditionFailed');
  });

  test.each([
    ['onto itself without a change', 'source', `${Bucket}/source`, 'InvalidRequest'],
    ['of nothing', 'target', `${Bucket}/nothing`, 'NoSuchKey'],
    ['out of a bucket that is not there', 'target', 'nowhere/source', 'NoSuchBucket'],
    ['of a bucket', 'target', Bucket, 'InvalidArgument'],
    ['of a version that is no text', 'target', `${Bucket}/source?versionId=%ff`, 'InvalidArgument'],
    ['of what no parameter can name', 'target', `${Bucket}/source?part=1`, 'InvalidArgument'],
  ])('%s is refused', async (_what, target, source, code) => {
    await put('source');
    expect(await codeOf(copy(target, source))).toBe(code);
  });
});

describe('many deletions in one request', () => {
  const removeAll = (names: string[], Quiet = false) =>
    client.send(new DeleteObjectsCommand({ Bucket, Delete: { Quiet, Objects: names.map((Key) => ({ Key })) } }));
  const post = (body: string, headers: Record<string, string> = {}) =>
    sendSigned(server, { method: 'POST', path: `/${Bucket}`, query: { delete: '' }, body, headers });

  test('report what went, or keep quiet', async () => {
    await Promise.all(['a', 'b', 'c&<>'].map((name) => put(name)));
    expect((await removeAll(['a', 'c&<>', 'nothing'])).Deleted).toEqual(
      ['a', 'c&<>', 'nothing'].map((Key) => ({ Key })),
    );
    expect((await removeAll(['b'], true)).Deleted).toBeUndefined();
    expect(await codeOf(read('b'))).toBe('NoSuchKey');
  });

  test('are at most a thousand', async () => {
    expect(await codeOf(removeAll(Array.from({ length: 1001 }, (_, i) => `n${i}`)))).toBe('MalformedXML');
  });

  const md5 = (body: string) => ({ 'content-md5': createHash('md5').update(body).digest('base64') });
  test.each([
    ['no XML', 'x', '400 MalformedXML'],
    ['no body', '', '400 MissingRequestBodyError'],
    ['no object', '<Delete></Delete>', '400 MalformedXML'],
    ['another root', '<Remove><Object><Key>a</Key></Object></Remove>', '400 MalformedXML'],
    ['no key', '<Delete><Object><Key></Key></Object></Delete>', '400 UserKeyMustBeSpecified'],
    ['a condition', '<Delete><Object><Key>a</Key><ETag>x</ETag></Object></Delete>', '400 MalformedXML'],
    [
      'an entity',
      '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&e;</Key></Object></Delete>',
      '400 MalformedXML',
    ],
    ['an entity that nobody defined', '<Delete><Object><Key>&e;</Key></Object></Delete>', '400 MalformedXML'],
    ['elements without end', '<Delete><a><a><a><a><a><a><a><a><a><a>', '400 MalformedXML'],
  ])('are refused with %s', async (_what, body, refusal) => {
    expect(await refusalOf(await post(body, md5(body)))).toBe(refusal);
  });

  test('need to be sure of their list', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    expect(await refusalOf(await post(body))).toBe('400 InvalidRequest');
    expect(await refusalOf(await post(body, md5('other')))).toBe('400 BadDigest');
    expect(await refusalOf(await post(body, { 'content-md5': 'no md5' }))).toBe('400 InvalidDigest');
    const text = await (await post(body, md5(body))).text();
    expect(textOf(text, 'Key')).toBe('a');
  });
});
