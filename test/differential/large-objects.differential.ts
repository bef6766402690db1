import { createHash } from 'node:crypto';
import { differential } from './differential';
import type { Exchange } from './exchange';

const a = 'a'.repeat(1000);
const b = 'b'.repeat(2000);
const c = 'c'.repeat(30_000);
const md5 = (text: string) => createHash('md5').update(text).digest('hex');
const wholeEtag = md5(md5(a) + md5(b) + md5(c));
const dynamicEtag = md5(md5('aaaaa') + md5('bbbbbbb') + md5(''));

const ranges = [
  'bytes=0-0',
  'bytes=999-1000',
  'bytes=-3',
  'bytes=32999-',
  'bytes=33000-',
  'bytes=0-1,998-1001',
  'bytes=0-0,33000-',
  'bytes=5-3',
  'bytes=a-b',
  'bytes=0-1,1-2,2-3,0-5',
  'items=0-1',
  'bytes=-999999999',
];

const conditionsOf = (etag: string): Record<string, string>[] => [
  {},
  { 'if-match': etag },
  { 'if-match': `"${etag}"` },
  { 'if-match': '*' },
  { 'if-match': 'x' },
  { 'if-none-match': etag },
  { 'if-none-match': '*' },
  { 'if-none-match': 'x' },
  { 'if-modified-since': 'Thu, 01 Jan 2099 00:00:00 GMT' },
  { 'if-modified-since': 'Thu, 01 Jan 1999 00:00:00 GMT' },
  { 'if-unmodified-since': 'Thu, 01 Jan 1999 00:00:00 GMT' },
];

/** A manifest holds times of its segments, so that its own etag is each server's. */
const ignore = ['x-manifest-etag'];

differential('large-objects', ({ account, prepare, same }) => {
  const base = `/v1/${account}`;
  const put = (path: string, body = '', headers: Record<string, string> = {}): Exchange => ({
    method: 'PUT',
    path: `${base}/${path}`,
    body,
    headers,
  });
  const manifest = (path: string, items: unknown, headers: Record<string, string> = {}, query = ''): Exchange => ({
    ...put(
      `${path}?multipart-manifest=put${query}`,
      typeof items === 'string' ? items : JSON.stringify(items),
      headers,
    ),
    ignore,
  });
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET'): Exchange => ({
    method,
    path: `${base}/${path}`,
    headers,
    ignore,
  });
  const copy = (path: string, destination: string, headers: Record<string, string> = {}): Exchange =>
    ask(path, { destination, ...headers }, 'COPY');

  const three = [{ path: '/seg/a', size_bytes: 1000 }, { path: 'seg/b' }, { path: '/seg/c', etag: null }];

  prepare(() => [
    ...['seg', 'slo', 'to', 'dlo'].map((name) => put(name)),
    put('seg/a', a, { 'content-type': 'text/x-a' }),
    put('seg/b', b, { 'content-type': 'text/x-b' }),
    put('seg/c', c, { 'content-type': 'text/x-c' }),
    put('seg/empty'),
    ...['aaaaa', 'bbbbbbb', ''].map((data, i) => put(`dlo/p/${i}`, data)),
    manifest('slo/three', three, { 'x-object-meta-color': 'blue', 'content-type': 'text/plain' }),
    put('slo/dynamic', 'own body', { 'x-object-manifest': 'dlo/p/', 'x-object-meta-a': 'b', 'content-type': 'text/d' }),
  ]);

  same('a manifest', [
    manifest('slo/x.png', three, { 'x-object-meta-a': 'b' }),
    ask('slo/x.png', {}, 'HEAD'),
    ask('slo/x.png'),
    manifest('slo/x.png', three, { 'if-none-match': '*' }),
    manifest('slo/etag', three, { etag: `"${wholeEtag}"` }),
    manifest('slo/etag', three, { etag: 'abc' }),
    manifest('nowhere/o', three),
    // Of one segment: Swift looks at several at once, and lists their errors as they come in.
    { ...manifest('slo/denied', three.slice(0, 1)), user: '' },
    { ...manifest('slo/denied', three.slice(0, 1)), user: 'test2:tester2' },
  ]);

  same('the manifest itself', [
    { ...ask('slo/three?multipart-manifest=get'), ignore: ['etag'] },
    { ...ask('slo/three?multipart-manifest=get', {}, 'HEAD'), ignore: ['etag'] },
    ask('slo/three?multipart-manifest=get&format=raw'),
  ]);

  same(
    'ranges of a static one',
    ranges.flatMap((range) => [ask('slo/three', { range }), ask('slo/three', { range }, 'HEAD')]),
  );
  for (const [name, path, etag] of [
    ['static', 'slo/three', wholeEtag],
    ['dynamic', 'slo/dynamic', dynamicEtag],
  ] as const) {
    for (const range of [undefined, 'bytes=5-6', 'bytes=0-1,3-4']) {
      same(
        `conditions of a ${name} one and the range ${range}`,
        conditionsOf(etag).flatMap((conditions) =>
          ['GET', 'HEAD'].map((method) => ask(path, { ...conditions, ...(range && { range }) }, method)),
        ),
      );
    }
  }
  same(
    'conditions of a static one and a range behind its end',
    conditionsOf(wholeEtag).map((conditions) => ask('slo/three', { ...conditions, range: 'bytes=999999-' })),
  );
  same(
    'conditions of a dynamic one and a range behind its end',
    conditionsOf(dynamicEtag).map((conditions) => ask('slo/dynamic', { ...conditions, range: 'bytes=99-' })),
  );

  same(
    'manifests that are none',
    [
      'x',
      '{}',
      [{ path: 'seg/a', z: 1, b: 2 }],
      [{ path: 5 }],
      [{ path: 'seg/a', etag: 5 }],
      [{ path: '/seg/' }],
      [{ path: 'seg/a', size_bytes: 'x' }],
      [{ path: 'seg/a', size_bytes: 0 }, { path: 'seg/a' }],
      [{ path: '/slo/bad' }],
      [{ path: 'seg/a', range: 'x' }],
      [{ path: 'seg/a', range: '0-1,2-3' }],
      [{ path: 'seg/a', range: '9-', size_bytes: 5 }],
      [{ path: 'seg/a' }, { data: '!' }],
      [{ path: 'seg/a' }, { data: '' }],
      [{ path: 'seg/a' }, { data: 'YQ' }],
      [{ data: 'YQ==' }],
      new Array(1001).fill({ path: 'seg/a' }),
    ].map((items) => manifest('slo/bad', items)),
  );
  same('manifests that are not an object of JSON each', [manifest('slo/bad', '[1]'), manifest('slo/bad', '[{}]')]);

  same('segments that are not what the manifest says', [
    ...[
      [{ path: '/seg/gone é' }],
      [{ path: '/seg/a', etag: 'x', size_bytes: 5 }],
      [{ path: '/seg/a', range: '1000-' }],
      [{ path: '/seg/empty' }, { path: '/seg/b' }],
      [{ path: 'seg/a', size_bytes: true }],
      [{ path: '//seg//a' }],
    ].map((items) => manifest('slo/bad', items)),
    ...['application/json', 'application/xml', 'text/xml', 'text/plain', 'image/png', 'x;'].map((accept) =>
      manifest('slo/bad', [{ path: 'seg/<&>' }], { accept }),
    ),
  ]);

  same('unusual manifests that are fine', [
    manifest('slo/fine', []),
    ask('slo/fine'),
    manifest('slo/fine', [{ path: 'seg/a' }, { data: 'YQ===' }, { path: '/seg/empty' }]),
    ask('slo/fine'),
    manifest('slo/fine', [{ path: 'seg/a', size_bytes: 1000.7, range: '' }]),
    manifest('slo/fine', [
      { path: 'seg/a', range: '-5' },
      { path: 'seg/a', range: '0-5000' },
      { path: 'seg/b', range: '5-6' },
    ]),
    ask('slo/fine'),
    manifest('slo/outer', [{ data: 'PDw=' }, { path: 'slo/fine', range: '3-1010' }, { path: 'slo/fine' }]),
    ask('slo/outer'),
    ask('slo/outer', { range: 'bytes=1-20' }),
    { ...ask('slo/outer?multipart-manifest=get'), ignore: ['etag'] },
  ]);

  for (const accept of ['application/json', 'application/xml', 'text/plain']) {
    same(`heartbeats as ${accept}`, [
      manifest('slo/beat', three, { accept }, '&heartbeat=on'),
      manifest('slo/beat2', [{ path: 'seg/gone' }], { accept }, '&heartbeat=on'),
      manifest('slo/beat2', three, { accept, etag: 'x' }, '&heartbeat=on'),
      manifest('nowhere/beat2', three, { accept }, '&heartbeat=on'),
    ]);
  }

  same('copies of a static one', [
    copy('slo/three', 'to/plain'),
    ask('to/plain'),
    copy('slo/three', 'to/plain', { 'x-fresh-metadata': 'true' }),
    ask('to/plain', {}, 'HEAD'),
    copy('slo/three?multipart-manifest=get', 'to/manifest', { 'x-object-meta-size': 'xl' }),
    ask('to/manifest'),
    copy('slo/three?multipart-manifest=get', 'to/manifest', { 'x-fresh-metadata': 'true' }),
    ask('to/manifest'),
    put('to/manifest?multipart-manifest=get', '', { 'x-copy-from': 'slo/three' }),
    copy('slo/three', 'to/slice', { range: 'bytes=999-1000' }),
    ask('to/slice'),
    copy('slo/three?multipart-manifest=get', 'to/slice', { etag: 'abc' }),
    copy('slo/three', 'to/slice', { 'if-match': wholeEtag }),
  ]);

  same('a copy with a wrong ETag', [copy('slo/three', 'to/slice', { etag: 'abc' })]);

  same('a changed and a lost segment', [
    put('seg/x', a),
    put('seg/y', b),
    manifest('slo/changed', [{ path: 'seg/x' }, { path: 'seg/y' }]),
    put('seg/y', `B${b.slice(1)}`),
    ask('slo/changed', { range: 'bytes=0-5' }),
    ask('slo/changed', { range: 'bytes=1000-1005' }),
    { method: 'DELETE', path: `${base}/seg/x` },
    ask('slo/changed'),
    ask('slo/changed', {}, 'HEAD'),
    ask('slo/changed', { 'if-none-match': '*' }),
  ]);
  same('a lost segment and a range behind the end', [
    manifest('slo/lost', [{ path: 'seg/a' }]),
    put('seg/z', a),
    manifest('slo/lost', [{ path: 'seg/z' }]),
    { method: 'DELETE', path: `${base}/seg/z` },
    ask('slo/lost', { range: 'bytes=99999-' }),
  ]);

  for (const accept of ['application/json', 'application/xml', 'text/plain', 'image/png']) {
    same(`deletion with segments as ${accept}`, [
      put('seg/d1', 'd'),
      put('seg/d2', 'd'),
      manifest('slo/sub', [{ path: 'seg/d1' }]),
      manifest('slo/main', [{ path: 'slo/sub' }, { path: 'seg/d2' }, { data: 'YQ==' }]),
      ask('slo/main?multipart-manifest=delete', { accept }, 'DELETE'),
      ask('slo/main?multipart-manifest=delete', { accept }, 'DELETE'),
      ask('seg/a?multipart-manifest=delete', { accept }, 'DELETE'),
      ask('nowhere/a?multipart-manifest=delete', { accept }, 'DELETE'),
      { ...ask('slo/three?multipart-manifest=delete', { accept }, 'DELETE'), user: 'test2:tester2' },
      { ...ask('slo/three?multipart-manifest=delete', { accept }, 'DELETE'), user: '' },
    ]);
  }

  same('other requests', [
    put('slo/reserved', 'x', { 'x-static-large-object': 'True' }),
    { method: 'POST', path: `${base}/slo/three`, headers: { 'x-static-large-object': 'True' } },
    ask('slo?prefix=three'),
    { ...ask('slo?format=json&prefix=nothing'), ignore: [] },
  ]);

  same(
    'manifests of dynamic ones',
    [
      'dlo/p/',
      'dlo%2Fp/',
      'dlo',
      'dlo/',
      '/p',
      'dlo//p',
      'dlo/p?x',
      'dlo/p&x',
      '',
      'dlo/%70/',
      'nowhere/p',
      'dlo/zz',
    ].flatMap((value) => [
      put('slo/d', '', { 'x-object-manifest': value, 'content-type': 'text/d' }),
      ask('slo/d'),
      ask('slo/d', {}, 'HEAD'),
      ask('slo/d?multipart-manifest=get'),
      ask('slo/d', {}, 'DELETE'),
    ]),
  );
  same(
    'ranges of a dynamic one',
    [
      'bytes=0-0',
      'bytes=4-5',
      'bytes=-3',
      'bytes=11-',
      'bytes=5-99',
      'bytes=0-1,3-4',
      'bytes=5-3',
      'bytes=a-b',
    ].flatMap((range) => [ask('slo/dynamic', { range }), ask('slo/dynamic', { range }, 'HEAD')]),
  );
  same('a HEAD of a dynamic one with a range behind its end', [ask('slo/dynamic', { range: 'bytes=12-' }, 'HEAD')]);
  same('copies of a dynamic one, and POSTs', [
    copy('slo/dynamic', 'to/d'),
    ask('to/d'),
    copy('slo/dynamic?multipart-manifest=get', 'to/d'),
    ask('to/d'),
    copy('slo/dynamic?multipart-manifest=get', 'to/d', { 'x-fresh-metadata': '1' }),
    ask('to/d'),
    manifest('slo/of-dynamic', [{ path: 'to/d' }]),
    ask('slo/of-dynamic'),
    { method: 'POST', path: `${base}/to/d`, headers: { 'x-object-manifest': 'dlo/p/1' } },
    ask('to/d'),
    { method: 'POST', path: `${base}/to/d`, headers: { 'x-object-meta-z': '1' } },
    ask('to/d'),
  ]);
});
