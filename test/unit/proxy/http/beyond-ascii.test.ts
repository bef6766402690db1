import { rewriteHead } from '@zerocloud/proxy/http/beyond-ascii';

const packet = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'));

test('encodes the path and replaces names of metadata', () => {
  const head = rewriteHead(packet('PUT /v1/a/größe HTTP/1.1\nHost: h\nX-Object-Meta-Ü: 5\n\nbody'));
  expect(head?.bytes.toString('latin1')).toBe(
    'PUT /v1/a/gr%c3%b6%c3%9fe HTTP/1.1\r\nHost: h\r\nx-zerocloud-name-0: 5\r\n\r\nbody',
  );
  expect([...head!.names]).toEqual([['x-zerocloud-name-0', Buffer.from('x-object-meta-Ü').toString('latin1')]]);
});

test('keeps everything behind the head as it is', () => {
  const body = Buffer.from([0, 255, 13, 10, 13, 10, 128]);
  const head = rewriteHead(Buffer.concat([packet('PUT /ü HTTP/1.1\nContent-Length: 7\n\n'), body]));
  expect(head!.bytes.subarray(-7)).toEqual(body);
});

test.each([
  ['nothing is beyond ASCII', 'GET / HTTP/1.1\nHost: h\n\n'],
  ['the head is not whole', 'GET /ü HTTP/1.1\nHost: h\n'],
  ['the first line is none', 'ü: GET / HTTP/1.1\nHost: h\n\n'],
  ['the path has a space', 'GET /ü x HTTP/1.1\nHost: h\n\n'],
  ['the version is another', 'GET /ü HTTP/1.0\nHost: h\n\n'],
  ['a line is folded', 'GET /ü HTTP/1.1\nHost: h\n more\n\n'],
  ['a name has a space', 'GET /ü HTTP/1.1\nHost : h\n\n'],
  ['a line has no colon', 'GET /ü HTTP/1.1\nHost\n\n'],
  ['a name is not of metadata', 'GET / HTTP/1.1\nHöst: h\n\n'],
  ['a name hides a length', 'GET / HTTP/1.1\nContent-Lengthü: 5\n\n'],
  ['a stand-in is there already', 'GET /ü HTTP/1.1\nX-Zerocloud-Name-0: h\n\n'],
])('leaves the request alone when %s', (_reason, text) => {
  expect(rewriteHead(packet(text))).toBeUndefined();
});

test.each([
  ['a bare line feed', 'GET /ü HTTP/1.1\r\nHost: h\nX: y\r\n\r\n'],
  ['a bare carriage return', 'GET /ü HTTP/1.1\r\nHost: h\rX: y\r\n\r\n'],
  ['a NUL', 'GET /ü HTTP/1.1\r\nHost: h\0\r\n\r\n'],
])('leaves a head with %s alone', (_reason, text) => {
  expect(rewriteHead(Buffer.from(text))).toBeUndefined();
});

test('leaves a name that is no UTF-8 alone', () => {
  expect(rewriteHead(Buffer.from('GET / HTTP/1.1\r\nX-Object-Meta-\xff: 1\r\n\r\n', 'latin1'))).toBeUndefined();
});

test('replaces what S3 allows in names of metadata, and there only', () => {
  const head = rewriteHead(packet('PUT /b/o HTTP/1.1\nHost: h\nX-Amz-Meta-("): 5\nX-Amz-Meta-A: 6\n\n'));
  expect([...head!.names]).toEqual([['x-zerocloud-name-0', 'x-amz-meta-(")']]);
  expect(head!.bytes.toString()).toContain('\r\nX-Amz-Meta-A: 6\r\n');
  expect(rewriteHead(packet('PUT /b/o HTTP/1.1\nX-Object-Meta-(: 5\n\n'))).toBeUndefined();
  expect(rewriteHead(packet('PUT /b/o HTTP/1.1\nX-Amz-Meta-a b: 5\n\n'))).toBeUndefined();
});
