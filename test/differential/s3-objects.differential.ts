import { md5Of, reads, type S3Options, s3, s3Differential } from './s3-requests';

s3Differential('s3 objects', ({ in: at, prepare, same }) => {
  const put = (path: string, body: string | Buffer, headers?: Record<string, string>, options: S3Options = {}) =>
    s3('PUT', at(path), { headers, body, ...options });
  const etag = Buffer.from(md5Of('content'), 'base64').toString('hex');

  prepare(() => [
    s3('PUT', at('b')),
    s3('PUT', at('c')),
    put('b/o', 'content', { 'content-type': 'text/x', 'x-amz-meta-a': 'b' }),
    put('b/empty', ''),
  ]);

  same('uploads', [
    put('b/a', 'content'),
    ...reads(at('b/a')),
    put('b/full', 'content', {
      'cache-control': 'no-store',
      'content-disposition': 'attachment; filename="a b"',
      'content-encoding': 'gzip',
      'content-language': 'de',
      'content-type': 'text/plain; charset=utf-8',
      expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
      'x-amz-meta-one': 'x',
      'x-amz-meta-with_underscore': 'y',
      'x-amz-meta-Big': 'Z',
      'x-amz-meta-empty': '',
      'x-amz-meta-3': ' spaces  inside ',
      'x-robots-tag': 'none',
    }),
    ...reads(at('b/full')),
    put('missing/o', 'content'),
    put('b/md5', 'content', { 'content-md5': md5Of('content') }),
    put('b/md5', 'content', { 'content-md5': md5Of('other') }),
    put('b/md5', 'content', { 'content-md5': 'short' }),
    put('b/md5', 'content', { 'content-md5': '' }),
    put('b/md5', 'content', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }),
    put('b/hash', 'content', {}, { payload: 'UNSIGNED-PAYLOAD' }),
    put('b/etag', 'content', { etag: 'wrong' }),
    ...reads(at('b/etag')),
    put('b/typed', 'x', { 'content-type': '' }),
    ...reads(at('b/typed')),
    put('b/later', 'x', { 'x-delete-after': '1000' }),
    ...reads(at('b/later')),
  ]);
  same('hashes of other bodies', [
    put('b/hash', 'content', {}, { payload: '0'.repeat(64) }),
    put('b/hash', 'content', {}, { payload: 'none' }),
  ]);
  same('odd names of metadata', [put('b/odd', 'x', { 'x-amz-meta-odd!#$': 'y' }), s3('HEAD', at('b/odd'))]);
  same('metadata that is refused', [
    put('b/m', 'x', { [`x-amz-meta-${'n'.repeat(200)}`]: 'x' }),
    put('b/m', 'x', { 'x-amz-meta-n': 'x'.repeat(300) }),
    put('b/m', 'x', Object.fromEntries(Array.from({ length: 95 }, (_, i) => [`x-amz-meta-n${i}`, 'x']))),
    put('b/m', 'x', Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-amz-meta-n${i}`, 'x'.repeat(250)]))),
    put('b/m', 'x', { 'x-delete-at': '1' }),
    put('b/m', 'x', { 'x-delete-after': 'x' }),
  ]);
  same('what an upload cannot ask for', [
    put('b/n', 'x', { 'x-amz-storage-class': 'STANDARD' }),
    put('b/n', 'x', { 'x-amz-storage-class': 'GLACIER' }),
    put('b/n', 'x', { 'x-amz-server-side-encryption': 'AES256' }),
    put('b/n', 'x', { 'x-amz-server-side-encryption': 'none' }),
    put('b/n', 'x', { 'x-amz-website-redirect-location': '/x' }),
    put('b/n', 'x', { 'x-amz-tagging': 'a=b' }),
    put('b/n', 'x', { 'x-amz-acl': 'none' }),
    put('b/n', 'x', { 'if-none-match': '*' }),
    put('b/n', 'x', { 'if-match': etag }),
    put('b/n', 'x', { 'x-amz-mfa': 'x' }),
    put('b/n', 'x', { 'x-amz-metadata-directive': 'OTHER' }),
  ]);
  same('a token of a session', [put('b/n', 'x', { 'x-amz-security-token': 'x' })]);
  same('names', [
    ...[
      '%20',
      'a%20b',
      'a+b',
      'a%2Bb',
      '%C3%BC',
      '%e2%98%83',
      'a%2Fb',
      'a//b',
      '/a',
      'a/',
      './a',
      '../a',
      'a%3Fb',
      'a%25b',
    ].flatMap((name) => [put(`b/n/${name}`, 'x'), s3('GET', at(`b/n/${name}`))]),
    ...["a'b", 'a(b)', 'a!b', 'a*b', 'a%26b', 'a%3Cb', 'a%22b', 'a%0Ab', 'a%7Fb'].flatMap((name) => [
      put(`b/n/${name}`, 'x'),
      s3('GET', at(`b/n/${name}`)),
    ]),
    put(`b/${'x'.repeat(1024)}`, 'x'),
    put(`b/${'x'.repeat(1025)}`, 'x'),
    s3('GET', at(`b/${'x'.repeat(1025)}`)),
    put('b/a%00b', 'x'),
    s3('GET', at('b?prefix=n/')),
  ]);
  same('a name that is not UTF-8', [put('b/%ff', 'x')]);
  same('a name that XML cannot hold', [put('b/c/a%01b', 'x'), s3('GET', at('b?prefix=c/'))]);
  same('what is not there', [
    ...reads(at('b/missing')),
    ...reads(at('missing/o')),
    s3('GET', at('b/o/')),
    s3('GET', at('b/o/p')),
    s3('DELETE', at('b/missing')),
    s3('DELETE', at('missing/o')),
  ]);
  same(
    'ranges',
    [
      'bytes=0-2',
      'bytes=3-',
      'bytes=-2',
      'bytes=0-100',
      'bytes=7-',
      'bytes=9-12',
      'bytes=3-1',
      'bytes=x',
      'bytes=-0',
      'x=0-1',
      'bytes=0-0,2-3',
      'bytes=0-0, 9-9',
    ].map((range) => s3('GET', at('b/o'), { headers: { range } })),
  );
  same(
    'ranges of HEAD',
    ['bytes=0-2', 'bytes=7-', 'bytes=x', 'bytes=0-0,2-3'].map((range) => s3('HEAD', at('b/o'), { headers: { range } })),
  );
  same(
    'ranges of nothing',
    ['bytes=0-2', 'bytes=0-', 'bytes=-2'].map((range) => s3('GET', at('b/empty'), { headers: { range } })),
  );
  same('conditions', [
    ...(
      [
        { 'if-match': etag },
        { 'if-match': `"${etag}"` },
        { 'if-match': '"other"' },
        { 'if-match': `"other", "${etag}"` },
        { 'if-match': '*' },
        { 'if-none-match': `"${etag}"` },
        { 'if-none-match': '*' },
        { 'if-none-match': '"other"' },
        { 'if-modified-since': 'Thu, 01 Jan 2037 00:00:00 GMT' },
        { 'if-modified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' },
        { 'if-modified-since': 'nonsense' },
        { 'if-unmodified-since': 'Thu, 01 Jan 2037 00:00:00 GMT' },
        { 'if-unmodified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' },
        { 'if-unmodified-since': 'nonsense' },
        { 'if-match': '"other"', range: 'bytes=0-1' },
        { 'if-match': `"${etag}"`, 'if-unmodified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' },
      ] as Record<string, string>[]
    ).flatMap((headers) => reads(at('b/o'), { headers })),
    ...reads(at('b/missing'), { headers: { 'if-match': '*' } }),
    ...reads(at('b/missing'), { headers: { 'if-none-match': '*' } }),
  ]);
  same(
    'a condition before a range that is not there',
    reads(at('b/o'), { headers: { 'if-none-match': `"${etag}"`, range: 'bytes=90-91' } }),
  );
  same('answers with other headers', [
    s3(
      'GET',
      at(
        'b/o?response-content-type=text/y&response-content-language=fr&response-expires=x&response-cache-control=no-cache',
      ),
    ),
    s3('GET', at('b/o?response-content-disposition=attachment%3B%20filename%3D%22a%22&response-content-encoding=gzip')),
    s3('HEAD', at('b/o?response-content-type=text/y')),
    s3('GET', at('b/o?response-content-type=')),
    s3('GET', at('b/o?response-content-type=%C3%BC')),
    s3('GET', at('b/missing?response-content-type=text/y')),
  ]);
  const copy = (target: string, source: string, headers: Record<string, string> = {}) =>
    s3('PUT', at(target), { headers: { ...headers, 'x-amz-copy-source': source } });
  same('copies', [
    copy('c/copy', at('b/o')),
    ...reads(at('c/copy')),
    copy('c/copy', at('b/o').slice(1)),
    copy('c/copy', at('b/o'), { 'x-amz-meta-c': 'd', 'content-type': 'text/z' }),
    ...reads(at('c/copy')),
    copy('c/copy', at('b/o'), { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-c': 'd', 'content-type': 'text/z' }),
    ...reads(at('c/copy')),
    copy('c/copy', at('b/o'), { 'x-amz-metadata-directive': 'REPLACE' }),
    ...reads(at('c/copy')),
    copy('c/copy', at('b/missing')),
    copy('c/copy', at('missing/o')),
    copy('missing/copy', at('b/o')),
    copy('c/copy', at('b')),
    copy('c/copy', at('b/')),
    copy('c/copy', '/'),
    copy('c/copy', 'x'),
    copy('c/copy', at('b/n/a%2520b')),
    copy('c/copy', at('b/n/a%20b')),
    copy('c/copy', at('b/n/a+b')),
    copy('b/o', at('b/o')),
    copy('b/o', at('b/o'), { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-new': 'yes' }),
    ...reads(at('b/o')),
    copy('c/copy', at('b/o'), { 'x-amz-copy-source-range': 'bytes=0-1' }),
    s3('PUT', at('c/copy'), { headers: { 'x-amz-copy-source': at('b/o') }, body: 'with a body' }),
    s3('PUT', at('c'), { headers: { 'x-amz-copy-source': at('b/o') } }),
    s3('GET', at('c/copy'), { headers: { 'x-amz-copy-source': at('b/o') } }),
  ]);
  same('a copy source with a parameter', [copy('c/copy', `${at('b/o')}?x=y`)]);
  same('copies on conditions', [
    ...(
      [
        { 'if-match': etag },
        { 'if-match': `"${etag}"` },
        { 'if-match': 'other' },
        { 'if-none-match': etag },
        { 'if-none-match': 'other' },
        { 'if-modified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' },
        { 'if-modified-since': 'Thu, 01 Jan 2015 00:00:00 GMT' },
        { 'if-unmodified-since': 'Thu, 01 Jan 1998 00:00:00 GMT' },
        { 'if-unmodified-since': 'Thu, 01 Jan 2037 00:00:00 GMT' },
      ] as Record<string, string>[]
    ).map((conditions) =>
      copy(
        'c/copy',
        at('b/full'),
        Object.fromEntries(Object.entries(conditions).map(([name, value]) => [`x-amz-copy-source-${name}`, value])),
      ),
    ),
  ]);
  same('large objects of Swift', [
    { method: 'PUT', path: `/v1/AUTH_test${at('c/segment')}`, body: 'segment', user: 'test:tester' },
    {
      method: 'PUT',
      path: `/v1/AUTH_test${at('c/slo')}?multipart-manifest=put`,
      body: JSON.stringify([{ path: at('c/segment') }, { path: at('c/segment') }]),
      user: 'test:tester',
    },
    {
      method: 'PUT',
      path: `/v1/AUTH_test${at('c/dlo')}`,
      headers: { 'x-object-manifest': at('c/segm').slice(1) },
      user: 'test:tester',
    },
  ]);
  const remove = (...keys: string[]) =>
    `<Delete>${keys.map((key) => `<Object><Key>${key}</Key></Object>`).join('')}</Delete>`;
  const removal = (body: string, headers: Record<string, string> = {}, path = 'b') => ({
    // Swift names them in the order in which they went.
    show: (text: string) => text.replace(/<Deleted>.*<\/Deleted>/, (rows) => rows.split('</Deleted>').sort().join('')),
    ...s3('POST', at(`${path}?delete`), { body, headers: { 'content-md5': md5Of(body), ...headers } }),
  });
  same('deleting many', [
    ...['1', '2', '3', '4', 'a &amp; b'].map((name) =>
      put(`b/d/${encodeURIComponent(name.replace('&amp;', '&'))}`, 'x'),
    ),
    removal(remove('d/1', 'd/missing', 'd/a &amp; b', 'd/2')),
    removal(`<Delete><Quiet>true</Quiet><Object><Key>d/3</Key></Object></Delete>`),
    removal(`<Delete><Quiet>false</Quiet><Object><Key>d/4</Key></Object></Delete>`),
    removal(`<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>d/4</Key></Object></Delete>`),
    s3('GET', at('b?prefix=d/')),
    removal(remove('a'), {}, 'missing'),
    removal(remove('a'), {}, 'b/o'),
    removal('<Delete/>'),
    removal('<Delete>'),
    removal('<Other/>'),
    removal('text'),
    removal(remove('')),
    removal('<Delete><Object/></Delete>'),
    removal(remove(...Array.from({ length: 1000 }, (_, i) => `n/${i}`)), {}, 'c'),
    removal(remove(...Array.from({ length: 1001 }, (_, i) => `n/${i}`)), {}, 'c'),
    removal(remove('a'), { 'content-md5': md5Of('other') }),
    removal(remove('a'), { 'content-md5': 'x' }),
    s3('POST', at('b?delete'), { body: remove('a') }),
    s3('POST', at('b?delete'), { headers: { 'content-md5': md5Of('') } }),
    s3('POST', at('b?delete')),
    s3('GET', at('b?delete')),
    s3('DELETE', at('b?delete')),
  ]);
  same('deleting versions where there are none', [
    removal('<Delete><Object><Key>d/v</Key><VersionId>1500000000.00000</VersionId></Object></Delete>'),
    removal('<Delete><Object><Key>d/v</Key><VersionId>null</VersionId></Object></Delete>'),
    removal('<Delete><Object><Key>d/v</Key><VersionId>other</VersionId></Object></Delete>'),
  ]);
  same('rights', [
    ...reads(at('b/o'), { accessKey: 'test:tester3', secret: 'testing3' }),
    s3('PUT', at('b/o'), { accessKey: 'test:tester3', secret: 'testing3', body: 'x' }),
    s3('DELETE', at('b/o'), { accessKey: 'test:tester3', secret: 'testing3' }),
    s3('DELETE', at('b/missing'), { accessKey: 'test:tester3', secret: 'testing3' }),
    s3('GET', at('b/missing'), { accessKey: 'test:tester3', secret: 'testing3' }),
    s3('GET', at('b/o'), { headers: { 'x-amz-expected-bucket-owner': 'test:tester' } }),
    s3('GET', at('b/o'), { accessKey: 'test2:tester2', secret: 'testing2' }),
  ]);
  same('conditions of a deletion', [s3('DELETE', at('b/md5'), { headers: { 'if-match': '"other"' } })]);
  same('deleting', [s3('DELETE', at('b/o')), s3('DELETE', at('b/o')), ...reads(at('b/o'))]);
});
