import { createHash, createHmac } from 'node:crypto';
import { amzDate, refusalOf, scopeOf, sendSigned, signHeaders, signingKey } from '../support/s3';
import { startServer, type TestServer } from '../support/server';

let server: TestServer;
const path = '/payloads/object';
const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const crc32 = { header: 'x-amz-checksum-crc32', of: { hello: 'NhCmhg==' } };

beforeAll(async () => {
  server = await startServer();
  await sendSigned(server, { method: 'PUT', path: '/payloads' });
});
afterAll(() => server.close());
beforeEach(() => sendSigned(server, { method: 'DELETE', path }));

async function stored(): Promise<string | undefined> {
  const response = await sendSigned(server, { path });
  return response.status === 200 ? response.text() : undefined;
}

interface Streaming {
  form: 'PAYLOAD' | 'PAYLOAD-TRAILER' | 'UNSIGNED';
  chunks: string[];
  /** What is announced, when it is not the truth. */
  sizeBytes?: number;
  trailer?: string;
  headers?: Record<string, string>;
  /** Changes the body as it goes out. */
  change?(body: string): string;
}

/** Sends an aws-chunked body, its chunks signed as AWS describes it. */
async function stream({
  form,
  chunks,
  sizeBytes,
  trailer,
  headers,
  change = (body) => body,
}: Streaming): Promise<Response> {
  const atMs = Date.now();
  const isSigned = form !== 'UNSIGNED';
  const payload = isSigned ? `STREAMING-AWS4-HMAC-SHA256-${form}` : 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const size = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk), 0);
  const sent = {
    'content-encoding': 'aws-chunked,gzip',
    'x-amz-decoded-content-length': String(sizeBytes ?? size),
    ...(trailer !== undefined && { 'x-amz-trailer': crc32.header }),
    ...headers,
  };
  const host = `${server.host}:${server.port}`;
  const request = { method: 'PUT', path, headers: sent };
  const signed = signHeaders(host, request, { atMs, payload });
  let previous = /Signature=(.*)$/.exec(signed.authorization!)![1]!;
  const sign = (kind: string, ...hashes: string[]) => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, amzDate(atMs), scopeOf({ atMs }), previous, ...hashes].join('\n');
    previous = createHmac('sha256', signingKey({ atMs })).update(text).digest('hex');
    return previous;
  };
  let body = '';
  for (const chunk of [...chunks, '']) {
    const extension = isSigned ? `;chunk-signature=${sign('PAYLOAD', sha256(''), sha256(chunk))}` : '';
    body += `${Buffer.byteLength(chunk).toString(16)}${extension}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`;
  }
  if (trailer !== undefined) body += `${crc32.header}:${trailer}\r\n`;
  if (form === 'PAYLOAD-TRAILER')
    body += `x-amz-trailer-signature:${sign('TRAILER', sha256(`${crc32.header}:${trailer}\n`))}\r\n`;
  return fetch(`${server.url}${path}`, { method: 'PUT', headers: signed, body: change(`${body}\r\n`) });
}

describe('bodies in signed chunks', () => {
  test('are stored as what is in them', async () => {
    expect((await stream({ form: 'PAYLOAD', chunks: ['hel', 'lo'] })).status).toBe(200);
    const response = await sendSigned(server, { path });
    expect(await response.arrayBuffer().catch(() => undefined)).toBeUndefined();
    const head = await sendSigned(server, { method: 'HEAD', path });
    expect(head.headers.get('content-encoding')).toBe('gzip');
    expect(head.headers.get('content-length')).toBe('5');
    expect(head.headers.get('etag')).toBe(`"${createHash('md5').update('hello').digest('hex')}"`);
  });

  test.each<[string, Omit<Streaming, 'form'>, string]>([
    [
      'a changed byte',
      { chunks: ['hello'], change: (body) => body.replace('hello', 'jello') },
      '403 SignatureDoesNotMatch',
    ],
    [
      'no signature',
      { chunks: ['hello'], change: (body) => body.replace(/;chunk-signature=\w+/, '') },
      '403 SignatureDoesNotMatch',
    ],
    [
      'the last chunk missing',
      { chunks: ['hello'], change: (body) => body.slice(0, body.indexOf('\r\n0;')) },
      '400 IncompleteBody',
    ],
    [
      'a chunk that breaks off',
      { chunks: ['hello'], change: (body) => body.slice(0, body.indexOf('hello') + 2) },
      '400 IncompleteBody',
    ],
    ['fewer bytes than announced', { chunks: ['hello'], sizeBytes: 6 }, '400 IncompleteBody'],
    ['more bytes than announced', { chunks: ['hello'], sizeBytes: 4 }, '400 IncompleteBody'],
    ['no chunks at all', { chunks: [], sizeBytes: 5, change: () => 'hello' }, '400 IncompleteBody'],
    [
      'a trailer that nobody announced',
      { chunks: ['hello'], change: (body) => body.replace(/\r\n$/, 'a:b\r\n\r\n') },
      '400 MalformedTrailerError',
    ],
    ['bytes behind the end', { chunks: ['hello'], change: (body) => `${body}x` }, '400 MalformedTrailerError'],
  ])('are refused with %s, and nothing is stored', async (_what, streaming, refusal) => {
    expect(await refusalOf(await stream({ form: 'PAYLOAD', ...streaming }))).toBe(refusal);
    expect(await stored()).toBeUndefined();
  });

  test('need to say how long they are inside', async () => {
    const response = await stream({ form: 'PAYLOAD', chunks: ['a'], headers: { 'x-amz-decoded-content-length': 'x' } });
    expect(await refusalOf(response)).toBe('411 MissingContentLength');
  });

  test('that have their last chunks swapped are refused', async () => {
    const change = (body: string) => body.replace(/(3;[^\r]*\r\nabc\r\n)(3;[^\r]*\r\ndef\r\n)/, '$2$1');
    expect(await refusalOf(await stream({ form: 'PAYLOAD', chunks: ['abc', 'def'], change }))).toBe(
      '403 SignatureDoesNotMatch',
    );
  });
});

describe('bodies with a checksum behind them', () => {
  test.each(['UNSIGNED', 'PAYLOAD-TRAILER'] as const)('are stored when it is right: %s', async (form) => {
    const response = await stream({ form, chunks: ['hel', 'lo'], trailer: crc32.of.hello });
    expect(response.status).toBe(200);
    expect(response.headers.get(crc32.header)).toBe(crc32.of.hello);
  });

  test.each<[string, Streaming, string]>([
    ['is wrong', { form: 'UNSIGNED', chunks: ['hello'], trailer: 'AAAAAA==' }, '400 BadDigest'],
    [
      'was changed',
      {
        form: 'PAYLOAD-TRAILER',
        chunks: ['hello'],
        trailer: crc32.of.hello,
        change: (body) => body.replace('NhC', 'AAA'),
      },
      '403 SignatureDoesNotMatch',
    ],
    [
      'does not come',
      { form: 'UNSIGNED', chunks: ['hello'], trailer: 'x', change: (body) => body.replace(/x-amz-ch.*\r\n/, '') },
      '400 MalformedTrailerError',
    ],
    [
      'is of a kind that nobody knows',
      { form: 'UNSIGNED', chunks: ['hello'], trailer: 'x', headers: { 'x-amz-trailer': 'x-amz-checksum-md4' } },
      '501 NotImplemented',
    ],
  ])('are refused when it %s', async (_what, streaming, refusal) => {
    expect(await refusalOf(await stream(streaming))).toBe(refusal);
    expect(await stored()).toBeUndefined();
  });
});

describe('checksums in headers', () => {
  test.each([
    ['x-amz-checksum-crc32', 'NhCmhg=='],
    ['x-amz-checksum-crc32c', 'mnG7TA=='],
    ['x-amz-checksum-crc64nvme', 'M3eFcAZSQlc='],
    ['x-amz-checksum-sha1', 'qvTGHdzF6KLavt4PO0gs2a6pQ00='],
    ['x-amz-checksum-sha256', 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='],
  ])('%s is checked', async (name, value) => {
    const put = (sent: string) => sendSigned(server, { method: 'PUT', path, headers: { [name]: sent }, body: 'hello' });
    expect(await refusalOf(await put(value.replace(/^./, 'z')))).toBe('400 BadDigest');
    expect(await stored()).toBeUndefined();
    const response = await put(value);
    expect(response.status).toBe(200);
    expect(response.headers.get(name)).toBe(value);
  });

  test('Content-MD5 is checked', async () => {
    const put = (md5: string) =>
      sendSigned(server, { method: 'PUT', path, headers: { 'content-md5': md5 }, body: 'hello' });
    expect(await refusalOf(await put('no md5'))).toBe('400 InvalidDigest');
    expect(await refusalOf(await put(''))).toBe('400 InvalidDigest');
    expect(await refusalOf(await put(createHash('md5').update('x').digest('base64')))).toBe('400 BadDigest');
    expect((await put(createHash('md5').update('hello').digest('base64'))).status).toBe(200);
  });

  test('an ETag is checked, as in Swift', async () => {
    const put = (etag: string) => sendSigned(server, { method: 'PUT', path, headers: { etag }, body: 'hello' });
    expect(await refusalOf(await put('x'))).toBe('400 BadDigest');
    expect((await put(createHash('md5').update('hello').digest('hex'))).status).toBe(200);
  });

  test('there may be one', async () => {
    const headers = { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-sha1': 'x' };
    const response = await sendSigned(server, { method: 'PUT', path, headers, body: 'hello' });
    expect(await refusalOf(response)).toBe('400 InvalidRequest');
  });
});
