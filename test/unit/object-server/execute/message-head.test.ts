import { findMessageHead, maxHeadBytes } from '@zerocloud/object-server/execute/message-head';

const find = (text: string, form: 'http' | 'cgi') => findMessageHead(Buffer.from(text), form);

describe('the head of an HTTP message', () => {
  test.each<[string, 'http' | 'cgi', number | undefined, [string, string][], string]>([
    ['HTTP/1.1 200 OK\n\nbody', 'http', 200, [], 'body'],
    ['HTTP/1.0 404 Not Found\r\nA: b\r\n\r\nbody', 'http', 404, [['a', 'b']], 'body'],
    ['HTTP/1.1 204\n\n', 'http', 204, [], ''],
    ['HTTP/1.1 200 \n\n', 'http', 200, [], ''],
    [
      'HTTP/1.1 200 OK\r\nA: b\nC:d \r\n\n\r\nbody',
      'http',
      200,
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      '\r\nbody',
    ],
    ['HTTP/1.1 200 OK\nStatus: 404\n\n', 'http', 200, [['status', '404']], ''],
    ['A:\n\nx', 'cgi', undefined, [['a', '']], 'x'],
    ['\nx', 'cgi', undefined, [], 'x'],
    ['Status: 302 Found\nLocation: /x\n\n', 'cgi', 302, [['location', '/x']], ''],
    ['STATUS:404\n\n', 'cgi', 404, [], ''],
    ['A: tab\there\n\n', 'cgi', undefined, [['a', 'tab\there']], ''],
  ])('%j as %s', (text, form, status, headers, body) => {
    const found = find(text, form);
    expect(found?.head).toEqual(status === undefined ? { headers } : { status, headers });
    expect(text.slice(found!.sizeBytes)).toBe(body);
  });

  test.each<[string, 'http' | 'cgi']>([
    ['', 'http'],
    ['', 'cgi'],
    ['A: b', 'cgi'],
    ['A: b\n', 'cgi'],
    ['\n', 'http'],
    ['HTTP/2 200 OK\n\n', 'http'],
    ['HTTP/1.1 100 Continue\n\n', 'http'],
    ['HTTP/1.1 600 Odd\n\n', 'http'],
    ['HTTP/1.1 200OK\n\n', 'http'],
    ['http/1.1 200 OK\n\n', 'http'],
    ['HTTP/1.1 200 a\u0000b\n\n', 'http'],
    ['A: b\n c: folded\n\n', 'cgi'],
    ['A b: c\n\n', 'cgi'],
    [': c\n\n', 'cgi'],
    ['A: b\rC: d\n\n', 'cgi'],
    ['A: \u0000\n\n', 'cgi'],
    ['Status: 1000\n\n', 'cgi'],
    ['Status: 20\n\n', 'cgi'],
    ['Status: 199 Early\n\n', 'cgi'],
    [`${'A: b\n'.repeat(129)}\n`, 'cgi'],
  ])('is not found in %j as %s', (text, form) => {
    expect(find(text, form)).toBeUndefined();
  });

  test('has at most 64 KiB and 128 headers', () => {
    const headOf = (length: number) => `A: ${'x'.repeat(length - 5)}\n\n`;
    expect(find(headOf(maxHeadBytes), 'cgi')?.sizeBytes).toBe(maxHeadBytes);
    expect(find(headOf(maxHeadBytes + 1), 'cgi')).toBeUndefined();
    expect(find(`${'A: b\n'.repeat(128)}\n`, 'cgi')?.head.headers).toHaveLength(128);
  });

  test('keeps bytes beyond ASCII as they are', () => {
    const found = findMessageHead(Buffer.from([0x41, 0x3a, 0xff, 0x0a, 0x0a]), 'cgi');
    expect(found?.head.headers).toEqual([['a', '\xff']]);
  });
});
