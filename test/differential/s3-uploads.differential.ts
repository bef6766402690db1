import { randomBytes } from 'node:crypto';
import { md5Of, reads, type S3Options, s3, s3Differential } from './s3-requests';

s3Differential('s3 uploads', ({ in: at, prepare, same }) => {
  const big = randomBytes(5 * 1024 * 1024);
  const small = Buffer.from('the end');
  const hex = (body: Buffer) => Buffer.from(md5Of(body), 'base64').toString('hex');
  const other = { accessKey: 'test:tester3', secret: 'testing3' };
  const create = (path: string, as: string, headers?: Record<string, string>) =>
    s3('POST', at(`${path}?uploads`), { headers, keep: { as, element: 'UploadId' } });
  const part = (path: string, id: string, number: number | string, body: string | Buffer, options: S3Options = {}) =>
    s3('PUT', at(`${path}?partNumber=${number}&uploadId=${id}`), { body, payload: 'UNSIGNED-PAYLOAD', ...options });
  const copied = (path: string, id: string, number: number, source: string, headers: Record<string, string> = {}) =>
    s3('PUT', at(`${path}?partNumber=${number}&uploadId=${id}`), {
      headers: { ...headers, 'x-amz-copy-source': source },
    });
  const parts = (...list: [number: number | string, etag: string][]) =>
    `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${list
      .map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`)
      .join('')}</CompleteMultipartUpload>`;
  const complete = (path: string, id: string, body: string, options: S3Options = {}) =>
    s3('POST', at(`${path}?uploadId=${id}`), { body, ...options });
  const abort = (path: string, id: string, options: S3Options = {}) =>
    s3('DELETE', at(`${path}?uploadId=${id}`), options);

  prepare(() => [s3('PUT', at('b')), s3('PUT', at('empty')), s3('PUT', at('b/o'), { body: 'content' })]);

  same('beginning', [
    create('b/first', 'first', { 'content-type': 'text/x', 'x-amz-meta-a-b': 'c', 'cache-control': 'no-store' }),
    create('missing/o', 'none'),
    s3('POST', at('b?uploads')),
    s3('POST', at('b/o?uploads'), other),
    s3('POST', at('b/o?uploads'), { headers: { 'x-amz-acl': 'none' } }),
    s3('POST', at('b/o?uploads'), { headers: { 'x-amz-storage-class': 'GLACIER' } }),
    s3('POST', at('b/o?uploads&encoding-type=x')),
    s3('PUT', at('b/o?uploads')),
    s3('DELETE', at('b/o?uploads')),
  ]);
  same('parts', [
    part('b/first', '{first}', 1, big),
    part('b/first', '{first}', 3, small),
    part('b/first', '{first}', 1000, 'unused'),
    part('b/first', '{first}', 0, 'x'),
    part('b/first', '{first}', -1, 'x'),
    part('b/first', '{first}', 1001, 'x'),
    part('b/first', '{first}', 'x', 'x'),
    part('b/first', '{first}', '', 'x'),
    part('b/first', 'unknown', 1, 'x'),
    part('b/first', '', 1, 'x'),
    part('b/other', '{first}', 1, 'x'),
    part('missing/first', '{first}', 1, 'x'),
    part('empty/first', '{first}', 1, 'x'),
    part('b/first', '{first}', 4, 'x', { headers: { 'content-md5': md5Of('y') } }),
    part('b/first', '{first}', 4, 'x', { headers: { 'content-md5': 'y' } }),
    part('b/first', '{first}', 4, 'x', other),
    s3('PUT', at('b/first?partNumber=1'), { body: 'x' }),
    s3('PUT', at('b/first?uploadId={first}'), { body: 'x' }),
    s3('PUT', at('b?partNumber=1&uploadId={first}'), { body: 'x' }),
    s3('GET', at('b/first?partNumber=1&uploadId={first}')),
    s3('POST', at('b/first?partNumber=1&uploadId={first}')),
  ]);
  same('reading a part of an object', [...reads(at('b/o?partNumber=1')), s3('DELETE', at('b/o?partNumber=1'))]);
  same('lists of parts', [
    s3('GET', at('b/first?uploadId={first}')),
    ...[
      'max-parts=1',
      'max-parts=2',
      'max-parts=5000',
      'max-parts=x',
      'max-parts=-1',
      'part-number-marker=1',
      'part-number-marker=3',
      'part-number-marker=2&max-parts=1',
      'part-number-marker=x',
      'part-number-marker=-1',
      'encoding-type=url',
      'encoding-type=x',
    ].map((query) => s3('GET', at(`b/first?uploadId={first}&${query}`))),
    s3('GET', at('b/first?uploadId=unknown')),
    s3('GET', at('missing/first?uploadId={first}')),
    s3('GET', at('b/first?uploadId={first}'), other),
    s3('GET', at('b?uploadId={first}')),
    s3('HEAD', at('b/first?uploadId={first}')),
  ]);
  same(
    'empty pages of parts',
    ['max-parts=0', 'part-number-marker=99999'].map((query) => s3('GET', at(`b/first?uploadId={first}&${query}`))),
  );
  same('lists of uploads', [
    create('b/a', 'a'),
    create('b/dir/x', 'x'),
    create('b/dir/y%20%C3%BC', 'y'),
    create('b/z', 'z'),
    part('b/dir/x', '{x}', 1, 'part'),
    s3('GET', at('b?uploads')),
    ...[
      'max-uploads=2',
      'max-uploads=0',
      'max-uploads=x',
      'max-uploads=-1',
      'max-uploads=5000',
      'prefix=dir',
      'prefix=dir/',
      'prefix=q',
      'delimiter=/',
      'delimiter=/&prefix=dir',
      'key-marker=a',
      'key-marker=dir/',
      'key-marker=z',
      'key-marker=a&upload-id-marker={a}',
      'upload-id-marker={a}',
      'encoding-type=url',
      'encoding-type=x',
    ].map((query) => s3('GET', at(`b?uploads&${query}`))),
    s3('GET', at('empty?uploads')),
    s3('GET', at('missing?uploads')),
    s3('GET', at('b/o?uploads')),
    s3('GET', at('b?uploads'), other),
  ]);
  same(
    'pages of uploads',
    [
      'key-marker=dir/&delimiter=/',
      'max-uploads=1',
      'delimiter=/&max-uploads=2',
      'delimiter=',
      'encoding-type=url&prefix=dir/&delimiter=/',
    ].map((query) => s3('GET', at(`b?uploads&${query}`))),
  );
  same('copies as parts', [
    create('b/copied', 'copied'),
    copied('b/copied', '{copied}', 1, at('b/o')),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': 'bytes=1-3' }),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': 'bytes=3-1' }),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': 'bytes=10-11' }),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': 'bytes=5-20' }),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': '1-2' }),
    copied('b/copied', '{copied}', 2, at('b/missing')),
    copied('b/copied', '{copied}', 2, at('missing/o')),
    copied('b/copied', 'unknown', 2, at('b/o')),
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-if-match': 'other' }),
  ]);
  same('a range without an end', [
    copied('b/copied', '{copied}', 2, at('b/o'), { 'x-amz-copy-source-range': 'bytes=1-' }),
  ]);
  same('a list of copied parts', [s3('GET', at('b/copied?uploadId={copied}')), abort('b/copied', '{copied}')]);
  same('completing badly', [
    ...[
      '',
      'text',
      '<Other/>',
      '<CompleteMultipartUpload/>',
      '<CompleteMultipartUpload>',
      '<CompleteMultipartUpload><Part/></CompleteMultipartUpload>',
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
      '<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>',
      parts([1, 'x']),
      parts(['x', hex(big)]),
      parts([0, hex(big)]),
      parts([3, hex(small)], [1, hex(big)]),
      parts([1, hex(big)], [1, hex(big)]),
    ].map((body) => complete('b/first', '{first}', body)),
    complete('b/first', 'unknown', parts([1, hex(big)])),
    complete('b/other', '{first}', parts([1, hex(big)])),
    complete('missing/first', '{first}', parts([1, hex(big)])),
    complete('b/first', '{first}', parts([1, hex(big)]), other),
    complete('b/first', '{first}', parts([1, hex(big)], [3, hex(small)]), { headers: { 'content-md5': md5Of('x') } }),
    s3('POST', at('b?uploadId={first}'), { body: 'x' }),
  ]);
  same(
    'completing with parts that are not there, or small',
    [
      parts([1, hex(small)]),
      parts([2, hex(big)]),
      parts([1, hex(big)], [2, hex(small)]),
      parts([3, hex(small)], [1000, hex(Buffer.from('unused'))]),
    ].map((body) => complete('b/first', '{first}', body)),
  );
  same('completing', [
    complete('b/first', '{first}', parts([1, `"${hex(big)}"`], [3, `&quot;${hex(small)}&quot;`])),
    s3('HEAD', at('b/first')),
    ...reads(at('b/first'), { headers: { range: 'bytes=5242878-' } }),
    s3('GET', at('b/first'), { headers: { range: 'bytes=9999999-' } }),
    s3('GET', at('b?prefix=first')),
    s3('GET', at('b/first?acl'), { ignore: ['content-type'] }),
    complete('b/first', '{first}', parts([1, hex(big)], [3, hex(small)])),
    s3('GET', at('b?uploads&prefix=first')),
  ]);
  same('an upload that is over', [
    complete('b/first', '{first}', parts([1, hex(big)])),
    s3('GET', at('b/first?uploadId={first}')),
    part('b/first', '{first}', 5, 'x'),
    abort('b/first', '{first}'),
  ]);
  same('conditions of the whole', [
    ...[
      '"x"',
      '*',
      `"${hex(Buffer.concat([Buffer.from(hex(big), 'hex'), Buffer.from(hex(small), 'hex')]))}-2"`,
    ].flatMap((tag) => [
      s3('HEAD', at('b/first'), { headers: { 'if-match': tag } }),
      s3('HEAD', at('b/first'), { headers: { 'if-none-match': tag } }),
    ]),
  ]);
  same('a copy of the whole', [
    s3('PUT', at('b/whole'), { headers: { 'x-amz-copy-source': at('b/first') }, ignore: ['last-modified'] }),
    s3('HEAD', at('b/whole')),
  ]);
  same('aborting', [
    abort('b/a', '{a}', other),
    abort('b/a', '{a}'),
    abort('b/a', '{a}'),
    abort('b/z', 'unknown'),
    abort('missing/z', '{z}'),
    abort('b/dir/x', '{x}'),
    s3('GET', at('b/dir/x?uploadId={x}')),
    s3('GET', at('b?uploads')),
    s3('DELETE', at('b?uploadId={z}')),
  ]);
  same('one part', [
    create('b/one', 'one'),
    part('b/one', '{one}', 1, small),
    complete('b/one', '{one}', parts([1, hex(small)])),
    ...reads(at('b/one')),
    create('b/nothing', 'nothing'),
    part('b/nothing', '{nothing}', 1, ''),
    complete('b/nothing', '{nothing}', parts([1, hex(Buffer.alloc(0))])),
    ...reads(at('b/nothing')),
    s3('DELETE', at('b/one'), { ignore: ['content-type'] }),
    s3('DELETE', at('b/one')),
  ]);
  same('an underscore in metadata', [
    create('b/meta', 'meta', { 'x-amz-meta-a_b': 'c' }),
    part('b/meta', '{meta}', 1, small),
    complete('b/meta', '{meta}', parts([1, hex(small)])),
    s3('HEAD', at('b/meta')),
  ]);
});
