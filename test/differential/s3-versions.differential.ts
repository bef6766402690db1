import { md5Of, reads, s3, s3Differential } from './s3-requests';

s3Differential('s3 versions', ({ in: at, prepare, same }) => {
  const set = (status: string, bucket = 'v') =>
    s3('PUT', at(`${bucket}?versioning`), {
      body: `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${status}</VersioningConfiguration>`,
    });
  const enabled = '<Status>Enabled</Status>';
  const suspended = '<Status>Suspended</Status>';
  const put = (path: string, body: string, as?: string) =>
    s3('PUT', at(path), { body, keep: as === undefined ? undefined : { as, header: 'x-amz-version-id' } });
  const remove = (path: string, as?: string) =>
    s3('DELETE', at(path), { keep: as === undefined ? undefined : { as, header: 'x-amz-version-id' } });
  const list = (query = '') => s3('GET', at(`v?versions${query}`));

  prepare(() => [s3('PUT', at('v')), s3('PUT', at('plain')), put('plain/o', 'plain'), put('v/before', 'before')]);

  same('settings', [
    s3('GET', at('v?versioning')),
    set('<Status>Other</Status>'),
    set('<Other/>'),
    set(enabled),
    s3('GET', at('v?versioning')),
    set(suspended),
    s3('GET', at('v?versioning')),
    set(enabled),
    set(enabled, 'missing'),
    s3('PUT', at('v?versioning'), { body: 'text' }),
    s3('DELETE', at('v?versioning')),
  ]);
  same('settings without a status', [set('', 'plain'), s3('PUT', at('plain?versioning'), { body: '' })]);
  same('settings, for others', [
    s3('GET', at('v?versioning'), { accessKey: 'test:tester3', secret: 'testing3' }),
    s3('PUT', at('v?versioning'), { accessKey: 'test:tester3', secret: 'testing3', body: 'x' }),
  ]);
  same('versions of an object', [
    put('v/o', 'one', 'one'),
    put('v/o', 'second', 'two'),
    put('v/p', 'other', 'other'),
    ...reads(at('v/o')),
    ...reads(at('v/o?versionId={one}')),
    ...reads(at('v/o?versionId={two}')),
    s3('GET', at('v/o?versionId={one}'), { headers: { range: 'bytes=1-' } }),
    list(),
    s3('GET', at('v')),
  ]);
  same('versions that are not there', [
    s3('GET', at('v/o?versionId=1500000000.00000')),
    s3('GET', at('v/o?versionId=')),
    s3('GET', at('plain/o?versionId=')),
    s3('GET', at('v/missing?versionId=1500000000.00000')),
    s3('GET', at('plain/o?versionId=1500000000.00000')),
    s3('GET', at('plain/o?versionId=null')),
    s3('HEAD', at('v/o?versionId=1500000000.00000')),
  ]);
  same('what is no version', [s3('GET', at('v/o?versionId=other')), remove('v/o?versionId=other')]);
  same('the version before there were versions', [
    ...reads(at('v/before')),
    ...reads(at('v/before?versionId=null')),
    put('v/before', 'after', 'after'),
    ...reads(at('v/before?versionId=null')),
    list('&prefix=before'),
  ]);
  same('deleting leaves a marker', [
    remove('v/o', 'marker'),
    ...reads(at('v/o')),
    list('&prefix=o'),
    s3('GET', at('v')),
    s3('GET', at('v/o?versionId={two}')),
  ]);
  same('reading a marker', reads(at('v/o?versionId={marker}')));
  same('deleting what is not there', [remove('v/never'), list('&prefix=never')]);
  same('taking a deletion back', [remove('v/o?versionId={marker}'), ...reads(at('v/o')), list('&prefix=o')]);
  same('deleting versions', [
    put('v/d', '1', 'd1'),
    put('v/d', '22', 'd2'),
    put('v/d', '333', 'd3'),
    remove('v/d?versionId={d2}'),
    list('&prefix=d'),
    remove('v/d?versionId={d3}'),
    ...reads(at('v/d')),
    list('&prefix=d'),
    remove('v/d?versionId={d1}'),
    s3('GET', at('v/d')),
    list('&prefix=d'),
  ]);
  same('deleting versions that are not there', [
    remove('v/o?versionId=1500000000.00000'),
    remove('v/missing?versionId=1500000000.00000'),
  ]);
  same('deletions of what has no versions', [
    remove('plain/o?versionId=1500000000.00000'),
    remove('plain/o?versionId=null'),
    s3('GET', at('plain/o')),
  ]);
  const removal = (body: string) =>
    s3('POST', at('v?delete'), { body, headers: { 'content-md5': md5Of(body) }, ignore: ['content-type'] });
  same('deleting many', [
    put('v/m1', '1', 'm1'),
    put('v/m1', '2', 'm2'),
    s3('POST', at('v?delete'), {
      body: '<Delete><Object><Key>m1</Key></Object></Delete>',
      headers: { 'content-md5': md5Of('<Delete><Object><Key>m1</Key></Object></Delete>') },
      ignore: ['content-type'],
      keep: { as: 'm3', element: 'DeleteMarkerVersionId' },
    }),
    list('&prefix=m1'),
    removal('<Delete><Quiet>true</Quiet><Object><Key>m1</Key></Object></Delete>'),
  ]);
  same('copies of versions', [
    s3('PUT', at('v/copy'), { headers: { 'x-amz-copy-source': `${at('v/o')}?versionId=1500000000.00000` } }),
    s3('PUT', at('v/copy'), { headers: { 'x-amz-copy-source': at('v/o') } }),
    s3('PUT', at('v/o'), { headers: { 'x-amz-copy-source': at('v/o'), 'x-amz-metadata-directive': 'REPLACE' } }),
  ]);
  same('a copy of a version without an id', [
    s3('PUT', at('plain/copy'), { headers: { 'x-amz-copy-source': `${at('v/o')}?versionId=` } }),
  ]);
  same('lists of versions', [
    ...[
      'max-keys=0',
      'delimiter=/',
      'prefix=x',
      'encoding-type=url',
      'key-marker=m1',
      'key-marker=o',
      'key-marker=o&version-id-marker={two}',
      'key-marker=o&version-id-marker={one}',
      'key-marker=o&version-id-marker=x',
      'version-id-marker={two}',
      'key-marker=o&version-id-marker=',
      'key-marker=',
    ].map((query) => list(`&${query}`)),
  ]);
  same('pages of versions', [
    list('&max-keys=1'),
    list('&max-keys=2'),
    list('&key-marker=o&version-id-marker={two}&max-keys=1'),
  ]);
  same('a list behind a null version that is not there', [list('&key-marker=o&version-id-marker=null')]);
  same('the rights to a version', [s3('GET', at('v/o?acl&versionId={one}'))]);
  same('the rights to a version that is not there', [s3('GET', at('v/o?acl&versionId=1500000000.00000'))]);
  same('a bucket with versions stays', [s3('DELETE', at('v'))]);
  same('deleting the null version', [
    put('v/n', 'n'),
    remove('v/n?versionId=null'),
    list('&prefix=n'),
    s3('GET', at('v/n')),
    remove('v/before?versionId=null'),
    list('&prefix=before'),
    s3('GET', at('v/before')),
  ]);
  same('suspended', [
    set(suspended),
    put('v/s', 'without id'),
    ...reads(at('v/s')),
    put('v/s', 'again'),
    list('&prefix=s'),
    put('v/o', 'null version'),
    ...reads(at('v/o')),
    list('&prefix=o'),
    remove('v/o'),
    list('&prefix=o'),
    remove('v/s'),
    list('&prefix=s'),
    ...reads(at('v/s')),
  ]);
});
