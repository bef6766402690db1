import { createHash, createHmac } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { presign, refusalOf, type SignedRequest, type Signer, sendSigned, signHeaders } from '../support/s3';
import { clientOf } from '../support/s3-client';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
const object = { path: '/signed/dir/a%20b%2B%C3%BC.txt' };
const send = (request: SignedRequest, signer?: Signer) => sendSigned(server, request, signer);

beforeAll(async () => {
  server = await startServer({ env: { S3_DOMAINS: 's3.test;other.test' } });
  await send({ method: 'PUT', path: '/signed' });
  await send({ ...object, method: 'PUT', body: 'content' });
});
afterAll(() => server.close());

describe('signatures of version 4', () => {
  test('open what their user may read', async () => {
    const response = await send(object);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('content');
    expect(response.headers.get('x-amz-request-id')).toBe(response.headers.get('x-trans-id'));
  });

  test.each<[string, Signer, string]>([
    ['another secret', { secret: 'wrong' }, '403 SignatureDoesNotMatch'],
    ['an unknown user', { accessKey: 'test:nobody' }, '403 SignatureDoesNotMatch'],
    ['another region', { region: 'eu-west-1' }, '400 AuthorizationHeaderMalformed'],
    ['another service', { service: 'ec2' }, '400 AuthorizationHeaderMalformed'],
    ['an old date', { atMs: Date.now() - 901_000 }, '403 RequestTimeTooSkewed'],
    ['a date to come', { atMs: Date.now() + 960_000 }, '403 RequestTimeTooSkewed'],
    ['no host', { unsigned: ['host'] }, '403 AccessDenied'],
    ['a payload hash that is none', { payload: 'abc' }, '400 InvalidArgument'],
    [
      'a streaming form that nobody knows',
      { payload: 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD' },
      '501 NotImplemented',
    ],
  ])('are refused with %s', async (_what, signer, refusal) => {
    expect(await refusalOf(await send(object, signer))).toBe(refusal);
  });

  test('tell a client what was signed here, and nothing of the secret', async () => {
    const text = await (await send(object, { secret: 'wrong' })).text();
    expect(text).toContain('<StringToSign>AWS4-HMAC-SHA256\n');
    expect(text).toContain('<CanonicalRequest>GET\n/signed/dir/a%20b%2B%C3%BC.txt\n');
    expect(text).not.toContain('testing');
  });

  test.each(['x-amz-meta-colour', 'x-amz-acl', 'x-amz-copy-source'])('cover %s', async (name) => {
    const request = { ...object, method: 'PUT', headers: { [name]: 'private' } };
    expect(await refusalOf(await send(request, { unsigned: [name] }))).toBe('403 AccessDenied');
  });

  test('refuse a body that is not the one hashed, and store nothing', async () => {
    const request = { method: 'PUT', path: '/signed/hashed', body: 'content' };
    const payload = createHash('sha256').update('another').digest('hex');
    expect(await refusalOf(await send(request, { payload }))).toBe('400 BadDigest');
    expect((await send({ method: 'HEAD', path: '/signed/hashed' })).status).toBe(404);
    expect((await send(request, { payload: 'UNSIGNED-PAYLOAD' })).status).toBe(200);
  });

  test('name a bucket in the host', async () => {
    const host = 'signed.s3.test';
    const headers = signHeaders(host, { path: '/dir/a%20b%2B%C3%BC.txt' }, { host });
    const lines = Object.entries({ ...headers, host, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const answer = await server.raw(`GET /dir/a%20b%2B%C3%BC.txt HTTP/1.1\r\n${lines.join('')}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n\r\ncontent$/);
    const moved = lines.join('').replace(host, 'another.s3.test');
    expect(await server.raw(`GET /dir/a%20b%2B%C3%BC.txt HTTP/1.1\r\n${moved}\r\n`)).toContain('SignatureDoesNotMatch');
  });
});

describe('signed URLs of version 4', () => {
  test('open what their user may read, until they expire', async () => {
    const response = await fetch(presign(server, object));
    expect(await response.text()).toBe('content');
    const old = presign(server, object, { atMs: Date.now() - 61_000 });
    expect(await refusalOf(await fetch(old))).toBe('403 AccessDenied');
  });

  test.each([
    ['604801', '400 AuthorizationQueryParametersError'],
    ['-1', '400 AuthorizationQueryParametersError'],
    ['soon', '400 AuthorizationQueryParametersError'],
  ])('are refused with a life of %s seconds', async (expires, refusal) => {
    expect(await refusalOf(await fetch(presign(server, object, { expires })))).toBe(refusal);
  });

  test('are not good before their time', async () => {
    expect(await refusalOf(await fetch(presign(server, object, { atMs: Date.now() + 960_000 })))).toBe(
      '403 AccessDenied',
    );
  });

  test('take an upload', async () => {
    const put = { method: 'PUT', path: '/signed/uploaded' };
    const response = await fetch(presign(server, put), { method: 'PUT', body: 'by url' });
    expect(response.status).toBe(200);
    expect(await (await send({ path: '/signed/uploaded' })).text()).toBe('by url');
  });

  test('carry headers that whoever uses them need not know', async () => {
    const hoisted = { 'x-amz-acl': 'public-read', 'X-Amz-Meta-Colour': 'blü', 'x-amz-meta-a_b': 'c' };
    const put = { method: 'PUT', path: '/signed/hoisted', query: hoisted };
    const answer = await fetch(presign(server, put), { method: 'PUT', body: 'by url' });
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    const head = await send({ method: 'HEAD', path: '/signed/hoisted' });
    expect(head.headers.get('x-amz-meta-a_b')).toBe('c');
    expect(head.headers.get('x-amz-meta-colour')).toBe(`=?UTF-8?B?${Buffer.from('blü').toString('base64')}?=`);
    const acl = await (await send({ path: '/signed/hoisted', query: { acl: '' } })).text();
    expect(acl).toContain('groups/global/AllUsers</URI></Grantee><Permission>READ</Permission>');
  });

  test.each([
    ['x-amz-checksum-crc32', 'NhCmhg==', '400 BadDigest'],
    ['x-amz-tagging', 'a=b', '501 NotImplemented'],
    ['x-amz-meta-a', 'b\r\nset-cookie: c', '400 InvalidArgument'],
    ['x-amz-meta-a b', 'c', '400 InvalidArgument'],
    ['X-Amz-Security-Token', 'x', '400 InvalidToken'],
  ])('that carry %s: %s are refused as with the header', async (name, value, refusal) => {
    const put = { method: 'PUT', path: '/signed/refused', query: { [name]: value } };
    expect(await refusalOf(await fetch(presign(server, put), { method: 'PUT', body: 'x' }))).toBe(refusal);
  });

  test('take any body when the SDK gave them the checksum of none', async () => {
    const client = clientOf(server);
    const command = new PutObjectCommand({ Bucket: 'signed', Key: 'by-sdk', Metadata: { a: 'b' } });
    const url = await getSignedUrl(client, command, { expiresIn: 60 });
    expect(url).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
    expect((await fetch(url, { method: 'PUT', body: 'hello' })).status).toBe(200);
    const answer = await client.send(new GetObjectCommand({ Bucket: 'signed', Key: 'by-sdk' }));
    expect([await answer.Body!.transformToString(), answer.Metadata]).toEqual(['hello', { a: 'b' }]);
    client.destroy();
  });

  test('that carry another value than the header are refused', async () => {
    const put = { method: 'PUT', path: '/signed/refused', query: { 'x-amz-storage-class': 'STANDARD' } };
    const url = presign(server, put);
    const of = (value: string) =>
      fetch(url, { method: 'PUT', body: 'x', headers: { 'x-amz-storage-class': value } }).then(refusalOf);
    expect(await of('GLACIER')).toBe('400 InvalidArgument');
    expect(await of('STANDARD')).toBe('200 undefined');
  });

  test('are good for one method, path and query', async () => {
    const url = presign(server, object);
    expect(await refusalOf(await fetch(url, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    expect(await refusalOf(await fetch(`${url}&response-content-type=text/html`))).toBe('403 SignatureDoesNotMatch');
    expect(await refusalOf(await fetch(url.replace('/signed/', '/other/')))).toBe('403 SignatureDoesNotMatch');
  });
});

test('parameters that no signature of version 4 covers are no headers', async () => {
  const date = new Date().toUTCString();
  const signature = createHmac('sha1', 'testing').update(`PUT\n\n\n${date}\n/signed/added`).digest('base64');
  const added = `${server.url}/signed/added?X-Amz-Credential=x&x-amz-acl=public-read`;
  const headers = { date, authorization: `AWS test:tester:${signature}` };
  expect((await fetch(added, { method: 'PUT', headers })).status).toBe(200);
  const acl = await (await send({ path: '/signed/added', query: { acl: '' } })).text();
  expect(acl).not.toContain('AllUsers');
});

describe('signatures of version 2', () => {
  const sign = (text: string, secret = 'testing') => createHmac('sha1', secret).update(text).digest('base64');
  const date = new Date().toUTCString();

  test.each([
    ['testing', 200],
    ['wrong', 403],
  ])('in a header, with the secret %s: %d', async (secret, status) => {
    const resource = `${object.path}?response-content-type=text/x&versionId=null`;
    const text = `GET\n\n\n\nx-amz-date:${date}\n${resource}`;
    const authorization = `AWS test:tester:${sign(text, secret)}`;
    const response = await fetch(`${server.url}${object.path}?versionId=null&response-content-type=text%2Fx`, {
      headers: { authorization, 'x-amz-date': date },
    });
    expect(response.status).toBe(status);
    if (status === 200) expect(response.headers.get('content-type')).toBe('text/x');
  });

  test('in a URL, until it expires', async () => {
    const url = (expires: number) => {
      const signature = encodeURIComponent(sign(`GET\n\n\n${expires}\n${object.path}`));
      return `${server.url}${object.path}?AWSAccessKeyId=test:tester&Expires=${expires}&Signature=${signature}`;
    };
    const now = Math.floor(Date.now() / 1000);
    expect(await (await fetch(url(now + 60))).text()).toBe('content');
    expect(await refusalOf(await fetch(url(now - 1)))).toBe('403 AccessDenied');
  });

  test('cover a bucket in the host', async () => {
    const ask = (host: string) => {
      const authorization = `AWS test:tester:${sign(`GET\n\n\n\nx-amz-date:${date}\n/signed/dir/a%20b%2B%C3%BC.txt`)}`;
      const head = `Host: ${host}\r\nx-amz-date: ${date}\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`;
      return server.raw(`GET /dir/a%20b%2B%C3%BC.txt HTTP/1.1\r\n${head}`);
    };
    expect(await ask('signed.other.test:8080')).toMatch(/\r\n\r\ncontent$/);
    expect(await ask('another.other.test')).toContain('SignatureDoesNotMatch');
  });

  test('are refused without a date, and with an old one', async () => {
    const authorization = `AWS test:tester:${sign('')}`;
    expect(await refusalOf(await fetch(`${server.url}/`, { headers: { authorization } }))).toBe('403 AccessDenied');
    const old = new Date(Date.now() - 901_000).toUTCString();
    const headers = { authorization, 'x-amz-date': old };
    expect(await refusalOf(await fetch(`${server.url}/`, { headers }))).toBe('403 RequestTimeTooSkewed');
  });
});

describe('requests without a signature of S3', () => {
  test('are requests of Swift', async () => {
    expect((await server.request('/v1/AUTH_test/signed')).status).toBe(200);
    expect((await fetch(`${server.url}/v1/AUTH_test/signed`)).status).toBe(401);
    const response = await server.request('/v1/AUTH_test/signed', { headers: { authorization: 'Basic dTpw' } });
    expect(response.status).toBe(200);
  });

  test('and methods that are none are refused in the form of S3 where its signature is there', async () => {
    const head = 'Host: x\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n';
    expect(await server.raw(`GETPUT /b HTTP/1.1\r\n${head}`)).toContain('<Code>MethodNotAllowed</Code>');
    expect(await server.raw('GETPUT /b HTTP/1.1\r\nHost: x\r\n\r\n')).not.toContain('<Code>');
  });
});
