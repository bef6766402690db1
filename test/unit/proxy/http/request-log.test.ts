import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { createRequestLog } from '@zerocloud/proxy/http/request-log';
import pino from 'pino';

function lineOf(
  url: string,
  { user, status }: { user?: string; status?: number } = {},
): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const log = pino({ level: 'info' }, { write: (line: string) => resolve(JSON.parse(line)) });
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url });
    const res = new ServerResponse(req);
    if (status !== undefined) res.writeHead(status);
    createRequestLog(log)(req, res, { transactionId: 'tx1', user, startedAtMs: 1000, endedAtMs: 1012 });
  });
}

test('a request is one line of JSON', async () => {
  expect(await lineOf('/v1/AUTH_test/c/o', { user: 'test:tester', status: 200 })).toEqual({
    level: 30,
    time: 1012,
    txn: 'tx1',
    method: 'GET',
    path: '/v1/AUTH_test/c/o',
    status: 200,
    user: 'test:tester',
    ms: 12,
  });
});

test.each(['/v1/a/"quoted"', '/v1/a/back\\slash', '/v1/a/\xc3\xa9', '/v1/a/\x01'])(
  'the path %j comes out as it came in',
  async (url) => {
    expect((await lineOf(url, { status: 200 })).path).toBe(url);
  },
);

test('a client that left before its answer is 499', async () => {
  expect((await lineOf('/v1/a')).status).toBe(499);
});

test.each([
  ['/b/o?X-Amz-Date=1&X-Amz-Signature=abc', '/b/o?X-Amz-Date=1&X-Amz-Signature=***'],
  ['/b/o?Signature=abc%3D&Expires=1', '/b/o?Signature=***&Expires=1'],
  ['/v1/a/c/o?temp_url_sig=abc&inline', '/v1/a/c/o?temp_url_sig=***&inline'],
  ['/v1/a/c?prefix=Signature=x', '/v1/a/c?prefix=Signature=x'],
])('the signature of the URL %s is not told', async (url, told) => {
  expect((await lineOf(url, { status: 200 })).path).toBe(told);
});
