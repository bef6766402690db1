import fc from 'fast-check';
import type { Exchange } from '../exchange';
import {
  about,
  accountSettings,
  bodies,
  conditions,
  containerSettings,
  type Headers,
  join,
  metadata,
  ranges,
  reading,
  someOf,
  uploads,
} from './headers';
import { aContainer, anObject, aPlace, encodeName } from './names';

/** Like `{account}` in paths and headers, `{other}` is an account beside it. */
type Arbitrary = fc.Arbitrary<Exchange>;

const users = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.constantFrom('test:tester', 'test:tester3', '', 'test2:tester2') },
);
const accounts = fc.constantFrom(
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{other}',
);

function someParameters(values: Record<string, string[]>, max = 3): fc.Arbitrary<string> {
  const pairs = Object.entries(values).flatMap(([name, all]) => all.map((value) => `${name}=${value}`));
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: fc.array(fc.constantFrom(...pairs), { maxLength: max }) },
    )
    .map((list) => (list.length === 0 ? '' : `?${list.join('&')}`));
}
const names = ['', 'a', 'p', 'p%2F', 'p/a', 'o', 'zz', '%C3%B6', '%C3%B6/', '%20', 'v', 'c', '%F0%9D%84%9E', '+'];
const listingParameters = {
  limit: ['0', '1', '2', '3', '10000', '10001', 'x', '-1', '', '1.5', '%2B2', '99999999999999999999'],
  marker: names,
  end_marker: names,
  prefix: names,
  delimiter: ['/', 'p', '', '//', 'a', '%C3%B6', '/a', '%20'],
  reverse: ['true', 'on', 'no', '', 'x', '1', 'True'],
  format: ['json', 'xml', 'plain', 'JSON', '', 'x'],
  unknown: ['', '1'],
};
const objectParameters = {
  'multipart-manifest': ['get', 'put', 'delete', '', 'x'],
  format: ['raw', 'json', 'xml', ''],
  symlink: ['get', '', 'GET'],
  'version-id': ['{version}', '{version}', 'null', '', 'x', '1500000000.00000'],
  versions: [''],
  temp_url_sig: ['x'],
  temp_url_expires: ['1'],
  filename: ['x'],
  unknown: ['%ff', '1'],
  'part-number': ['1', '2', '9', '0', 'x'],
};

const pathTo = (account: string, container: string, object?: string) =>
  `/v1/${account}/${encodeName(container)}${object === undefined ? '' : `/${encodeName(object)}`}`;
const objectPath = fc
  .tuple(accounts, aContainer, anObject)
  .map(([account, container, object]) => pathTo(account, container, object));
const containerPath = fc
  .tuple(accounts, aContainer, fc.constantFrom('', '', '', '', '/'))
  .map(([account, container, end]) => pathTo(account, container) + end);
const accountPath = fc.constantFrom('/v1/{account}', '/v1/{account}', '/v1/{account}/', '/v1/{other}');

const manyBodies = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...bodies) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
const noBody = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: manyBodies });
const none = fc.constant({} as Headers);

function request(
  method: fc.Arbitrary<string>,
  path: fc.Arbitrary<string>,
  query: fc.Arbitrary<string>,
  headers: fc.Arbitrary<Headers>,
  body: fc.Arbitrary<string>,
  who = users,
): Arbitrary {
  return fc.tuple(method, path, query, headers, body, who).map(([method, path, query, headers, body, user]) => ({
    method,
    path: path + query,
    headers,
    ...(body !== '' && { body: Buffer.from(body, 'latin1') }),
    ...(user !== undefined && { user }),
  }));
}
const only = fc.constantFrom;

const read = request(
  only('GET', 'GET', 'HEAD'),
  objectPath,
  someParameters(objectParameters, 2),
  join(conditions, ranges, reading),
  noBody,
);
const readPlain = request(
  only('GET', 'GET', 'HEAD'),
  objectPath,
  only('', '', '', '?symlink=get', '?multipart-manifest=get', '?version-id={version}'),
  join(conditions, ranges),
  only(''),
);
const upload = request(
  only('PUT'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  join(about, uploads),
  manyBodies,
);
const post = request(
  only('POST'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  join(about, someOf({ 'x-symlink-target': aPlace }, 1)),
  noBody,
);
const remove = request(
  only('DELETE'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 2) }),
  fc.oneof({ weight: 4, arbitrary: none }, { weight: 1, arbitrary: reading }),
  noBody,
);
const copyParts = someOf(
  {
    'x-fresh-metadata': only('true', 'false', 'x'),
    'destination-account': only('{account}', '{other}', 'a/b', ''),
    range: only('bytes=0-4', 'bytes=2-1', 'bytes=500-', 'x'),
  },
  1,
);
const copy = request(
  only('COPY'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 2, arbitrary: someParameters(objectParameters, 1) }),
  join(
    fc.oneof(
      { weight: 9, arbitrary: aPlace.map((destination) => ({ destination }) as Headers) },
      { weight: 1, arbitrary: none },
    ),
    copyParts,
    conditions,
    about,
  ),
  noBody,
);
const pull = request(
  only('PUT'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 2, arbitrary: someParameters(objectParameters, 1) }),
  join(
    aPlace.map((from) => ({ 'x-copy-from': from }) as Headers),
    someOf(
      {
        'x-copy-from-account': only('{account}', '{other}', 'a/b', ''),
        range: only('bytes=0-4', 'bytes=500-', 'x'),
        'x-fresh-metadata': only('true', 'no'),
      },
      1,
    ),
    about,
  ),
  noBody,
);

const paths = fc.oneof(
  {
    weight: 6,
    arbitrary: only(
      '/c/o',
      '/c/p/a',
      'c/p/b',
      '/v/o',
      '/c/slo',
      '/l/link',
      '/c/dlo',
      '/gone/x',
      '/c/gone',
      'c',
      '',
      '/%C3%BC%20c/o',
    ),
  },
  { weight: 1, arbitrary: aPlace },
);
const segment = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record(
      {
        path: paths,
        etag: only(null, null, '', 'x', 'e04d1d9a3b8b7bb5c7b9a2d2a4f5c3b1'),
        size_bytes: only(null, 100, '100', 0, 1, -1, 'x', 1.5),
        range: only(null, '0-4', '5-', '-5', '5-2', '0-0,2-3', 'x', '200-', '99-200', ''),
      },
      { requiredKeys: ['path'] },
    ),
  },
  {
    weight: 1,
    arbitrary: only<unknown>(
      { data: 'YWJj' },
      { data: '' },
      { data: '!' },
      { data: 'YWJj', path: 'c/o' },
      { path: '/c/o', extra: 1 },
      { data: 5 },
      { path: 5 },
    ),
  },
);
const simpleSegment = fc.record(
  { path: only('/c/o', '/c/p/a', 'c/p/b'), range: only('0-4', '5-', '-5') },
  { requiredKeys: ['path'] },
);
const manifest = request(
  only('PUT'),
  objectPath,
  only(
    '?multipart-manifest=put',
    '?multipart-manifest=put',
    '?multipart-manifest=put&format=raw',
    '?multipart-manifest=put&heartbeat=on',
  ),
  join(
    about,
    someOf({ etag: only('x', '"x"'), 'if-none-match': only('*'), accept: only('application/json', 'text/xml') }, 1),
  ),
  fc
    .oneof(fc.array(simpleSegment, { maxLength: 4 }), fc.array(segment, { maxLength: 3 }))
    .map((list) => JSON.stringify(list)),
);

const listContainer = request(
  only('GET', 'GET', 'GET', 'HEAD'),
  containerPath,
  someParameters(
    { ...listingParameters, path: ['', 'p', 'p/'], versions: [''], version_marker: ['{version}', 'x', 'null', ''] },
    4,
  ),
  fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: reading }),
  noBody,
);
const listAccount = request(
  only('GET', 'GET', 'GET', 'HEAD'),
  accountPath,
  someParameters(listingParameters, 4),
  fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: reading }),
  noBody,
);
const changeContainer = request(
  only('PUT', 'POST', 'POST', 'DELETE'),
  containerPath,
  fc.oneof({ weight: 5, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  containerSettings,
  noBody,
);
const changeAccount = request(only('PUT', 'POST', 'POST'), accountPath, only(''), accountSettings, noBody);
const version = request(
  only('GET', 'HEAD', 'DELETE', 'PUT', 'POST', 'COPY'),
  only('/v1/{account}/v/o', '/v1/{account}/v/o', '/v1/{account}/v/new', '/v1/{account}/%C3%BC%20c/o'),
  only('', '', '?version-id={version}', '?version-id={version}', '?version-id=null', '?version-id=1500000000.00000'),
  join(
    only({ destination: 'v/new' } as Headers, { destination: 'v/o' } as Headers),
    fc.oneof({ weight: 3, arbitrary: none }, { weight: 1, arbitrary: someOf({ 'x-object-meta-a': only('n') }, 1) }),
    conditions,
  ),
  noBody,
  only(undefined),
);
const simple = request(
  only('PUT', 'PUT', 'POST', 'DELETE', 'GET', 'HEAD'),
  objectPath,
  only(''),
  metadata('object', 1),
  only('', 'x', 'body'),
  users,
);
const listVersions = request(
  only('GET'),
  only('/v1/{account}/v', '/v1/{account}/%C3%BC%20c', '/v1/{account}/h', '/v1/{account}/c'),
  fc
    .tuple(
      only('?versions', '?format=json', '?'),
      someParameters(
        {
          prefix: ['o', 'n'],
          limit: ['1', '2'],
          reverse: ['on'],
          delimiter: ['/', 'o'],
          format: ['json', 'xml'],
          marker: ['n', 'o'],
          version_marker: ['{version}'],
        },
        3,
      ),
    )
    .map(([a, b]) => a + b.replace('?', '&')),
  none,
  only(''),
  only(undefined),
);
const odd = request(
  only('OPTIONS', 'OPTIONS', 'COPY', 'TRACE', 'PROPFIND', 'LOCK', 'PATCH', 'SEARCH'),
  fc.oneof(objectPath, containerPath, only('/v1/{account}')),
  someParameters(objectParameters, 1),
  join(
    reading,
    someOf(
      {
        'access-control-request-method': only('GET', 'PUT', 'X', ''),
        'access-control-request-headers': only('x-a', 'x-a, X-B', ''),
      },
      2,
    ),
  ),
  noBody,
);
/** Paths as nobody encodes them. */
const rawPath = fc
  .array(
    only(
      '/',
      '//',
      'v1',
      '{account}',
      'c',
      'o',
      '%2F',
      '%2f',
      '%00',
      '%ff',
      '%',
      '%zz',
      '.',
      '..',
      '%2E%2E',
      '?',
      ';a',
      '+',
      '%20',
      'v1.0',
      'v2',
      '~',
      '@',
      '%C3',
      'ä',
      '"',
      '|',
      '^',
      '{',
      '[',
      "'",
      '\\',
    ),
    { maxLength: 6 },
  )
  .map((parts) => `/v1/{account}/c/${parts.join('')}`.replaceAll('ä', '%C3%A4'));
const oddPath = request(
  only('GET', 'HEAD', 'PUT', 'POST', 'DELETE'),
  rawPath,
  only(''),
  none,
  only('', 'x'),
  only(undefined),
);

/** Lengths that are missing or wrong. */
const rawLines = fc
  .tuple(
    only('GET', 'PUT', 'POST', 'DELETE', 'COPY', 'HEAD', 'get', 'FOO'),
    only('/v1/{account}/c/o', '/v1/{account}/c/new', '/v1/{account}/c', '/v1/{account}/d'),
    only('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    fc.uniqueArray(
      only(
        'Content-Length: 0',
        'Content-Length: 2',
        'Content-Length: x',
        'Content-Length: -1',
        'Content-Length:',
        'Transfer-Encoding: gzip',
        'Transfer-Encoding: identity',
        'Content-Type: a/b',
        'X-Object-Meta-A:b',
        'X-Object-Meta-A :b',
        'x-object-meta-a:   b   ',
        'X-Container-Meta-A: b',
        'Destination: c/copied',
        'Range: bytes=0-1',
        'Expect: 100-continue',
      ),
      { maxLength: 3 },
    ),
  )
  .map(
    ([method, path, version, lines]): Exchange => ({
      path,
      raw: [
        `${method} ${path} ${version}`,
        'Host: {host}',
        'X-Auth-Token: {token}',
        'Connection: close',
        ...lines,
        '',
        lines.includes('Content-Length: 2') ? 'xy' : '',
      ].join('\r\n'),
    }),
  );

export const steps: { weight: number; arbitrary: Arbitrary; name: string }[] = [
  { name: 'readPlain', weight: 8, arbitrary: readPlain },
  { name: 'read', weight: 6, arbitrary: read },
  { name: 'upload', weight: 6, arbitrary: upload },
  { name: 'post', weight: 4, arbitrary: post },
  { name: 'remove', weight: 4, arbitrary: remove },
  { name: 'copy', weight: 4, arbitrary: copy },
  { name: 'pull', weight: 2, arbitrary: pull },
  { name: 'manifest', weight: 3, arbitrary: manifest },
  { name: 'listContainer', weight: 6, arbitrary: listContainer },
  { name: 'listAccount', weight: 2, arbitrary: listAccount },
  { name: 'changeContainer', weight: 3, arbitrary: changeContainer },
  { name: 'changeAccount', weight: 1, arbitrary: changeAccount },
  { name: 'version', weight: 5, arbitrary: version },
  { name: 'simple', weight: 8, arbitrary: simple },
  { name: 'listVersions', weight: 4, arbitrary: listVersions },
  { name: 'odd', weight: 2, arbitrary: odd },
  { name: 'oddPath', weight: 1, arbitrary: oddPath },
  { name: 'raw', weight: 1, arbitrary: rawLines },
];
export const aStep = fc.oneof(...steps);
