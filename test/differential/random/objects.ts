import fc from 'fast-check';
import { about, conditions, type Headers, join, metadata, ranges, reading, someOf, uploads } from './headers';
import { aPlace, encodeName } from './names';
import { manyBodies, noBody, none, objectParameters, objectPath, only, request, someParameters, users } from './parts';

export const read = request(
  only('GET', 'GET', 'HEAD'),
  objectPath,
  someParameters(objectParameters, 2),
  join(conditions, ranges, reading),
  noBody,
);
export const readPlain = request(
  only('GET', 'GET', 'HEAD'),
  objectPath,
  only('', '', '', '?symlink=get', '?multipart-manifest=get', '?version-id={version}'),
  join(conditions, ranges),
  only(''),
);
export const upload = request(
  only('PUT'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  join(about, uploads),
  manyBodies,
);
export const post = request(
  only('POST'),
  objectPath,
  fc.oneof({ weight: 3, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  join(about, someOf({ 'x-symlink-target': aPlace }, 1)),
  noBody,
);
export const remove = request(
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
export const copy = request(
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
export const pull = request(
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
export const manifest = request(
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

export const version = request(
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
export const simple = request(
  only('PUT', 'PUT', 'POST', 'DELETE', 'GET', 'HEAD'),
  objectPath,
  only(''),
  metadata('object', 1),
  only('', 'x', 'body'),
  users,
);
/** Names of few letters, which prefixes, delimiters and markers cut anywhere. */
const nameOfLetters = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '-', '0', 'ü', '𝄞', '\uffef'),
  minLength: 1,
  maxLength: 5,
});
export const putNamed = request(
  only('PUT', 'PUT', 'PUT', 'DELETE'),
  nameOfLetters.map((name) => `/v1/{account}/d/${encodeName(name)}`),
  only(''),
  none,
  only('', 'x'),
  only(undefined),
);
