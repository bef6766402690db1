import { differential } from './differential';
import type { Exchange } from './exchange';

differential('versions', ({ account, prepare, same }) => {
  const at = (path: string) => `/v1/${account}/${path}`;
  const both = (path: string, headers: Record<string, string> = {}): Exchange[] =>
    ['GET', 'HEAD'].map((method) => ({ method, path: at(path), headers }));
  const put = (path: string, body: string, headers: Record<string, string> = {}): Exchange => ({
    method: 'PUT',
    path: at(path),
    body,
    headers: { 'content-type': `text/${body.length}`, ...headers },
  });
  /** The same, and the id of its version can be named in paths from then on. */
  const keeping = (as: string, exchange: Exchange): Exchange => ({
    ...exchange,
    keep: { as, header: 'x-object-version-id' },
  });
  const post = (path: string, headers: Record<string, string>): Exchange => ({
    method: 'POST',
    path: at(path),
    headers,
  });
  const remove = (path: string): Exchange => ({ method: 'DELETE', path: at(path) });

  prepare(() => [
    { method: 'PUT', path: at('plain') },
    put('plain/o', 'plain'),
    { method: 'PUT', path: at('v'), headers: { 'x-versions-enabled': 'true' } },
    keeping('one', put('v/o', 'one')),
    keeping('two', put('v/o', 'second', { 'x-object-meta-c': 'd' })),
    keeping('other', put('v/p/o', 'x')),
    { method: 'PUT', path: at('old') },
    { method: 'PUT', path: at('k'), headers: { 'x-versions-location': 'old' } },
  ]);

  same('the container', [
    ...both('v'),
    { method: 'PUT', path: at('v'), headers: { 'x-versions-enabled': 'maybe' } },
    ...both('v'),
    post('v', { 'x-versions-enabled': 'on' }),
    ...both('v?format=json'),
    ...both('v?format=xml'),
    post('nothing', { 'x-versions-enabled': 'true' }),
  ]);
  same('reading', [
    ...both('v/o'),
    ...both('v/o?version-id={one}'),
    ...both('v/o?version-id={two}'),
    ...both('v/o?version-id='),
    ...both('v/o?version-id=null'),
    ...both('v/o?version-id=abc'),
    ...both('v/o?version-id=1500000000.00000'),
    ...both('v/o', { range: 'bytes=1-2' }),
    ...both('v/o?version-id={one}', { range: 'bytes=1-1' }),
    ...both('v/o', { 'if-none-match': '*' }),
    ...both('plain/o?version-id=1500000000.00000'),
  ]);
  same('a condition that fails', both('v/o', { 'if-match': 'other' }));
  same('the null version of a container without versions', both('plain/o?version-id=null'));
  same(
    'lists of versions',
    [
      '',
      '&format=json',
      '&format=xml',
      '&format=plain',
      '&limit=1',
      '&limit=x',
      '&limit=99999',
      '&reverse=on',
      '&reverse=on&limit=1',
      '&reverse=on&marker=q',
      '&marker=n',
      '&marker=o',
      '&marker=o&version_marker={two}',
      '&marker=o&version_marker={one}',
      '&marker=o&version_marker=zz',
      '&version_marker={one}',
      '&prefix=o',
      '&prefix=x',
      '&delimiter=/',
      '&delimiter=1',
      '&delimiter=.',
    ].map((parameters) => ({ path: at(`v?versions${parameters}`) })),
  );
  same('lists of versions by type', [
    { path: at('v?versions'), headers: { accept: 'text/plain' } },
    { path: at('v?versions'), headers: { accept: 'application/json' } },
    { path: at('plain?versions') },
    { method: 'HEAD', path: at('v?versions') },
  ]);
  same('an end marker of versions', [{ path: at('v?versions&end_marker=o') }]);
  same('a marker of versions in reverse', [{ path: at('v?versions&reverse=on&marker=o') }]);
  same('POST', [
    post('v/o', { 'x-object-meta-e': 'f' }),
    ...both('v/o'),
    post('v/o?version-id={one}', { 'x-object-meta-e': 'f' }),
    ...both('v/o?version-id={one}'),
  ]);
  same('deleting leaves a marker', [
    keeping('marker', remove('v/o')),
    ...both('v/o?version-id={marker}'),
    { path: at('v?versions&prefix=o') },
    post('v/o', {}),
    keeping('never', remove('v/never')),
    { path: at('v?versions&prefix=never') },
  ]);
  same('what a deleted object answers', both('v/o'));
  same('restoring', [
    { ...put('v/o?version-id={one}', 'x') },
    { method: 'PUT', path: at('v/o?version-id={one}') },
    ...both('v/o'),
    { method: 'PUT', path: at('v/o?version-id=1500000000.00000') },
    { method: 'PUT', path: at('plain/o?version-id=1500000000.00000') },
  ]);
  same('an older version that is current behind a marker', [{ path: at('v?versions&prefix=o') }]);
  same('restoring the null version', [{ method: 'PUT', path: at('v/o?version-id=null') }]);
  same('copies', [
    { method: 'COPY', path: at('v/o?version-id={two}'), headers: { destination: 'v/copy' } },
    ...both('v/copy'),
    { method: 'COPY', path: at('v/o'), headers: { destination: 'plain/copy' } },
    { method: 'PUT', path: at('plain/pulled?version-id={two}'), headers: { 'x-copy-from': 'v/o' } },
    ...both('plain/pulled'),
  ]);
  same('deleting versions', [
    remove('v/o?version-id={one}'),
    { path: at('v?versions&prefix=o') },
    remove('v/o?version-id=abc'),
    remove('v/copy?version-id=null'),
    { path: at('v?versions&prefix=copy') },
    remove('plain/o?version-id=1500000000.00000'),
  ]);
  same('deleting a version that is not there', [remove('v/o?version-id=1500000000.00000')]);
  same('suspended', [
    post('v', { 'x-versions-enabled': 'false' }),
    ...both('v'),
    put('v/s', 'without id'),
    ...both('v/s'),
    ...both('v/s?version-id=null'),
    remove('v/s'),
    { path: at('v?format=json') },
    remove('v'),
  ]);
  same('versions in another container', [
    ...both('k'),
    put('k/o', '1'),
    put('k/o', '22', { 'x-delete-after': '1000' }),
    put('k/o', '333'),
    { path: at('old?format=json'), ignore: ['body'] },
    ...both('k/o'),
    remove('k/o'),
    ...both('k/o'),
    { path: at('k?versions') },
    remove('k/o'),
    remove('k/o'),
    remove('k/o'),
    { path: at('old') },
  ]);
  same('versions and deletions in another container', [
    post('k', { 'x-history-location': 'old' }),
    ...both('k'),
    put('k/h', '1'),
    remove('k/h'),
    remove('k/h'),
    { path: at('old?format=json') },
    post('k', { 'x-versions-location': 'old' }),
    remove('k/h'),
    ...both('k/h'),
    remove('k/h'),
    ...both('k/h'),
    { path: at('old?format=json') },
  ]);
  same('settings of a container', [
    post('k', { 'x-versions-location': 'old/x' }),
    post('k', { 'x-versions-location': 'old', 'x-history-location': 'old' }),
    post('k', { 'x-versions-location': '', 'x-history-location': 'old' }),
    ...both('k'),
    post('k', { 'x-versions-enabled': 'true' }),
    post('k', { 'x-versions-enabled': 'false' }),
    post('k', { 'x-remove-versions-location': 'x' }),
    ...both('k'),
  ]);
  same('a container that is missing', [
    post('k', { 'x-versions-location': 'missing' }),
    put('k/m', '1'),
    put('k/m', '2'),
    remove('k/m'),
    post('k', { 'x-history-location': 'missing' }),
    put('k/m', '1'),
    remove('k/m'),
    ...both('k/m'),
  ]);
  same('storage policies', [{ method: 'PUT', path: at('policy'), headers: { 'x-storage-policy': 'unknown' } }]);
});
