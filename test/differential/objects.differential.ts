import { createHash } from 'node:crypto';
import { differential } from './differential';

const body = 'abcdefghij'.repeat(100);
const etag = createHash('md5').update(body).digest('hex');

const conditions: Record<string, string>[] = [
  {},
  { 'if-match': '*' },
  { 'if-match': `"${etag}"` },
  { 'if-none-match': '*' },
  { 'if-none-match': `"${etag}", "other"` },
  { 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
  { 'if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
  { 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
  { 'if-unmodified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
  { 'if-modified-since': 'nonsense' },
  { 'if-match': '"other"', 'if-none-match': '"other"' },
];

const ranges: (string | undefined)[] = [
  undefined,
  'bytes=0-0',
  'bytes=5-',
  'bytes=-5',
  'bytes=-0',
  'bytes=990-2000',
  'bytes=1000-',
  'bytes=2-1',
  'bytes=0-1,5-6',
  'bytes=0-1,5000-',
  'bytes=-2000',
  'bytes= 0-1',
  'bytes=0-1,',
  'bytes=x-y',
  'lines=0-1',
  '',
];

differential('objects', ({ account, prepare, same }) => {
  const object = `/v1/${account}/objects/o`;
  prepare(() => [
    { method: 'PUT', path: `/v1/${account}/objects` },
    { method: 'PUT', path: object, body, headers: { 'content-type': 'text/plain', 'x-object-meta-color': 'blau' } },
    { method: 'PUT', path: `/v1/${account}/objects/empty` },
  ]);

  for (const condition of conditions) {
    same(
      `ranges with ${JSON.stringify(condition)}`,
      ranges.flatMap((range) => {
        const headers = { ...condition, ...(range !== undefined && { range }) };
        return ['GET', 'HEAD'].map((method) => ({ method, path: object, headers }));
      }),
    );
  }

  same(
    'ranges of an empty object',
    ranges.map((range) => {
      const headers: Record<string, string> = range === undefined ? {} : { range };
      return { path: `/v1/${account}/objects/empty`, headers };
    }),
  );

  same(
    'conditions on an object that is not there',
    conditions.map((headers) => ({ path: `/v1/${account}/objects/nothing`, headers })),
  );

  const odd = [
    '.',
    '..',
    'a/../b',
    '/',
    '//x',
    'a b',
    'a+b',
    '%25',
    'ü/ö',
    '日本',
    "'",
    '"',
    '<&>',
    '?',
    '#',
    'a\n',
    '\u007f',
    'x'.repeat(1024),
  ];
  same(
    'odd names',
    odd.flatMap((name) => {
      const path = `/v1/${account}/objects/${encodeURIComponent(name).replaceAll('%2F', '/')}`;
      return [
        { method: 'PUT', path, body: 'x' },
        { path },
        { method: 'POST', path, headers: { 'x-object-meta-a': 'b' } },
        { method: 'DELETE', path },
        { path },
      ];
    }),
  );

  same('names that are refused', [
    { method: 'PUT', path: `/v1/${account}/objects/${'x'.repeat(1025)}`, body: 'x' },
    { method: 'PUT', path: `/v1/${account}/${'x'.repeat(257)}` },
    { method: 'PUT', path: `/v1/${account}/${'x'.repeat(256)}` },
    { path: `/v1/AUTH_${'x'.repeat(252)}` },
    { method: 'PUT', path: `/v1/${account}/objects/%ff`, body: 'x' },
    { method: 'PUT', path: `/v1/${account}/objects/a%00b`, body: 'x' },
  ]);

  const meta = (name: string, value: string) => ({ [`x-object-meta-${name}`]: value });
  const many = (count: number) => Object.assign({}, ...Array.from({ length: count }, (_, i) => meta(`m${i}`, 'x')));
  same('limits of headers', [
    { method: 'PUT', path: object, body, headers: meta('n'.repeat(128), 'v') },
    { method: 'PUT', path: object, body, headers: meta('n'.repeat(129), 'v') },
    { method: 'PUT', path: object, body, headers: meta('n', 'v'.repeat(256)) },
    { method: 'PUT', path: object, body, headers: meta('n', 'v'.repeat(257)) },
    { method: 'PUT', path: object, body, headers: many(90) },
    { method: 'PUT', path: object, body, headers: many(91) },
    {
      method: 'PUT',
      path: object,
      body,
      headers: {
        ...meta('a', 'v'.repeat(200)),
        ...Object.assign({}, ...Array.from({ length: 20 }, (_, i) => meta(`n${i}`, 'v'.repeat(200)))),
      },
    },
    { method: 'PUT', path: object, body, headers: { 'x-object-meta-': 'v' } },
    { method: 'POST', path: object, headers: meta('empty', '') },
    { method: 'HEAD', path: object },
    { method: 'PUT', path: `/v1/${account}/objects`, headers: { 'x-container-meta-a': 'v'.repeat(257) } },
  ]);

  same('what an upload may say', [
    { method: 'PUT', path: object, body, headers: { 'if-none-match': '*' } },
    { method: 'PUT', path: object, body, headers: { 'if-none-match': '"x"' } },
    { method: 'PUT', path: object, body, headers: { 'x-delete-at': '1' } },
    { method: 'PUT', path: object, body, headers: { 'x-delete-at': 'x' } },
    { method: 'PUT', path: object, body, headers: { 'x-delete-after': '-1' } },
    { method: 'PUT', path: object, body, headers: { 'content-type': 'text/plain; swift_bytes=5' } },
    { method: 'PUT', path: object, body, headers: { 'x-copy-from': '/objects/o' } },
    { method: 'PUT', path: object, headers: { 'x-copy-from': 'objects' } },
    { method: 'PUT', path: object, headers: { 'x-copy-from': '/objects/nothing' } },
    { method: 'COPY', path: object },
    { method: 'COPY', path: object, headers: { destination: 'objects' } },
    { method: 'COPY', path: object, headers: { destination: 'nowhere/x' } },
    { method: 'POST', path: `/v1/${account}/objects/nothing` },
    { method: 'DELETE', path: `/v1/${account}/objects/nothing` },
    { method: 'PUT', path: `/v1/${account}/nowhere/x`, body },
    { method: 'DELETE', path: `/v1/${account}/objects` },
    { method: 'DELETE', path: `/v1/${account}/nowhere` },
  ]);

  same('who may not', [
    { path: object, user: '' },
    { path: object, user: 'test:tester3' },
    { method: 'PUT', path: object, body, user: '' },
    { method: 'DELETE', path: `/v1/${account}`, user: 'test:tester3' },
    { path: object, user: '', headers: { 'x-auth-token': 'AUTH_tkwrong' } },
    { path: object, user: '', headers: { 'x-auth-token': 'wrong' } },
    { method: 'OPTIONS', path: object, user: '' },
    { method: 'OPTIONS', path: `/v1/${account}`, user: '' },
  ]);
  same('a header line that is too long', [
    { method: 'PUT', path: object, body, headers: { 'content-type': `a/${'x'.repeat(9000)}` } },
  ]);
  same('a wrong ETag', [{ method: 'PUT', path: object, body, headers: { etag: 'wrong' } }]);
});
