import { reads, type S3Options, s3, s3Differential } from './s3-requests';

s3Differential('s3 signatures', ({ in: at, prepare, same }) => {
  const object = at('b/dir/o%20%2B%C3%BC');
  const get = (options: S3Options, path = object) => s3('GET', path, options);
  const now = Date.now();
  const header = (change: (value: string) => string | undefined): S3Options => ({
    spoil: ({ path, headers }) => ({
      path,
      headers: { ...headers, authorization: change(String(headers.authorization)) },
    }),
  });
  const url = (form: 'url' | 'url-v2', change: (path: string) => string): S3Options => ({
    form,
    spoil: ({ path, headers }) => ({ path: change(path), headers }),
  });

  prepare(() => [s3('PUT', at('b')), s3('PUT', object, { body: 'content' })]);

  same('good ones', [
    ...(['v4', 'v2', 'url', 'url-v2'] as const).flatMap((form) => reads(object, { form })),
    ...(['v4', 'v2', 'url', 'url-v2'] as const).map((form) => get({ form }, at('b?prefix=dir'))),
    ...(['v4', 'v2', 'url', 'url-v2'] as const).map((form) => get({ form, ignore: ['content-type'] }, at('b?acl'))),
    s3('PUT', at('b/v2'), { form: 'v2', body: 'x', headers: { 'content-type': 'text/x', 'x-amz-meta-a': 'b' } }),
    s3('PUT', at('b/url'), { form: 'url', body: 'x' }),
    s3('PUT', at('b/url2'), { form: 'url-v2', body: 'x' }),
    get({ ignore: ['content-type'] }, `${at('b')}/?acl`),
    get({ payload: 'UNSIGNED-PAYLOAD' }),
    get({ headers: { 'x-amz-meta-spaces': '  a   b  ' } }),
  ]);
  same(
    'another secret',
    (['v4', 'v2', 'url', 'url-v2'] as const).map((form) => get({ form, secret: 'wrong' })),
  );
  same(
    'nobody',
    (['v4', 'v2', 'url', 'url-v2'] as const).map((form) => get({ form, accessKey: 'test:nobody' })),
  );
  same('scopes', [
    get({ region: 'eu-west-1' }),
    get({ service: 'ec2' }),
    get({ form: 'url', region: 'eu-west-1' }),
    get({ form: 'url', service: 'ec2' }),
    get(header((value) => value.replace('aws4_request', 'aws5_request'))),
    get(header((value) => value.replace(/\/\d{8}\//, '/20200101/'))),
    get(url('url', (path) => path.replace('aws4_request', 'aws5_request'))),
  ]);
  same('times', [
    get({ atMs: now - 3_600_000 }),
    get({ atMs: now + 3_600_000 }),
    get({ form: 'v2', atMs: now - 3_600_000 }),
    get({ form: 'v2', atMs: now + 3_600_000 }),
    get({ form: 'v2', headers: { date: 'nonsense' } }),
    get({ form: 'v2', headers: { date: '' } }),
    get({ form: 'v2', headers: { 'x-amz-date': 'nonsense' } }),
    get({ form: 'url', atMs: now - 3_600_000 }),
    get({ form: 'url-v2', expires: '1' }),
    get({ form: 'url-v2', expires: 'x' }),
    ...['0', '-1', 'x', '604800', '604801', '', '99999999999999999999'].map((expires) => get({ form: 'url', expires })),
    get({ spoil: ({ path, headers }) => ({ path, headers: { ...headers, 'x-amz-date': 'x' } }) }),
    get({ spoil: ({ path, headers }) => ({ path, headers: { ...headers, 'x-amz-date': undefined } }) }),
  ]);
  same('times to come', [get({ form: 'url', atMs: now + 3_600_000 }), get({ form: 'url-v2', expires: '99999999999' })]);
  same('headers that are not whole', [
    get(header((value) => value.replace(/, Signature=.*/, ''))),
    get(header((value) => value.replace(/SignedHeaders=[^,]*, /, ''))),
    get(header((value) => value.replace(/Credential=[^,]*, /, ''))),
    get(header((value) => value.replace(/Credential=[^,]*, /, 'Credential=test:tester, '))),
    get(header((value) => value.replace(/Signature=.*/, 'Signature='))),
    get(header((value) => value.replace(/Signature=.*/, 'Signature=abc'))),
    get(header((value) => value.replace(/SignedHeaders=[^,]*/, 'SignedHeaders=host;x-missing'))),
    get(header(() => 'AWS4-HMAC-SHA256 x')),
    get(header(() => 'AWS test:tester')),
    get(header(() => 'AWS test')),
    get(header(() => 'AWS test:tester:abc')),
    get(header(() => 'AWS :')),
    get({ spoil: ({ path, headers }) => ({ path, headers: { ...headers, 'x-amz-content-sha256': undefined } }) }),
  ]);
  same('URLs that are not whole', [
    ...['X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date', 'X-Amz-Expires', 'X-Amz-Algorithm'].map((name) =>
      get(url('url', (path) => path.replace(new RegExp(`[?&]${name}=[^&]*`), (text) => (text[0] === '?' ? '?' : '')))),
    ),
    get(url('url', (path) => path.replace('AWS4-HMAC-SHA256', 'AWS5-HMAC-SHA256'))),
    get(url('url', (path) => `${path}&more=x`)),
    ...['Signature', 'Expires'].map((name) =>
      get(url('url-v2', (path) => path.replace(new RegExp(`[?&]${name}=[^&]*`), ''))),
    ),
    get(url('url-v2', (path) => `${path}&acl`)),
  ]);
  same('headers that are not signed', [
    get({ headers: { 'x-amz-meta-a': 'b' }, unsigned: ['x-amz-meta-a'] }),
    get({ headers: { 'x-amz-acl': 'private' }, unsigned: ['x-amz-acl'] }),
    get({ headers: { 'x-other': 'b' }, unsigned: ['x-other'] }),
    get({ headers: { range: 'bytes=0-1' }, unsigned: ['range'] }),
  ]);
  same('headers in a URL', [
    get({ form: 'url', body: 'x' }, at('b/url?x-amz-meta-a=b')),
    s3('PUT', at('b/hoisted?x-amz-meta-a=b'), { form: 'url', body: 'x' }),
    ...reads(at('b/hoisted')),
  ]);
  same('no host', [get({ unsigned: ['host'] })]);
  same('spoilt requests', [
    get({ spoil: ({ headers }) => ({ path: at('b/v2'), headers }) }),
    get({ spoil: ({ path, headers }) => ({ path: `${path}?acl`, headers }) }),
    get({
      headers: { 'x-amz-meta-a': 'b' },
      spoil: ({ path, headers }) => ({ path, headers: { ...headers, 'x-amz-meta-a': 'c' } }),
    }),
  ]);
  same('two of them', [
    get({ form: 'url', headers: { authorization: 'AWS test:tester:abc' } }),
    get({ form: 'url', headers: { 'x-auth-token': 'abc' } }),
  ]);
});
