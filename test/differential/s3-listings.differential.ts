import { s3, s3Differential } from './s3-requests';

s3Differential('s3 listings', ({ in: at, prepare, same }) => {
  const names = [
    'a',
    'a/',
    'a/b',
    'a/c',
    'a/d/e',
    'a%20b',
    'a%2Bb',
    'b',
    'b-c',
    'b//d',
    'c%C3%BC',
    'c%26',
    '%C3%BC/x',
    'z',
  ];
  const list = (query: string, bucket = 'l') => s3('GET', at(`${bucket}${query === '' ? '' : `?${query}`}`));

  prepare(() => [
    s3('PUT', at('l')),
    s3('PUT', at('empty')),
    ...names.map((name) => s3('PUT', at(`l/${name}`), { body: name })),
  ]);

  const parameters: Record<string, string[]> = {
    prefix: ['', 'a', 'a/', 'x', '%C3%BC'],
    delimiter: ['', '/', '-', '//', '%C3'.concat('%BC')],
    marker: ['', 'a/', 'a/b', 'zz', '%C3%BC'],
    'max-keys': ['', '0', '1', '3', '14', '1001', '-1', 'x', '2147483647', '2147483648', '1.5', '%201'],
    'encoding-type': ['', 'url', 'x'],
  };
  const second: Record<string, string[]> = {
    'start-after': ['', 'a', 'a/c', 'zz', 'c%C3%BC'],
    'continuation-token': ['', 'YQ==', 'YS9j', 'eno='],
    'fetch-owner': ['', 'true', 'false', 'True', 'yes', 'x'],
  };
  const single = (table: Record<string, string[]>) =>
    Object.entries(table).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
  const pairs = (table: Record<string, string[]>, all = Object.entries(table)) =>
    all.flatMap(([name, values], i) =>
      all
        .slice(i + 1)
        .flatMap(([other, others]) =>
          values
            .slice(1, 4)
            .flatMap((value) => others.slice(1, 4).map((second) => `${name}=${value}&${other}=${second}`)),
        ),
    );

  same('all, and nothing', [
    list(''),
    list('', 'empty'),
    list('list-type=2'),
    list('list-type=2', 'empty'),
    list('', 'missing'),
  ]);
  same(
    'one parameter',
    single(parameters).map((query) => list(query)),
  );
  same(
    'two parameters',
    pairs(parameters).map((query) => list(query)),
  );
  same(
    'one parameter of the second version',
    single({ ...parameters, ...second }).map((query) => list(`list-type=2&${query}`)),
  );
  const { marker: _, ...shared } = parameters;
  same(
    'two parameters of the second version',
    pairs({ ...shared, ...second }).map((query) => list(`list-type=2&${query}`)),
  );
  same('three parameters', [
    list('prefix=a&delimiter=/&max-keys=2'),
    list('prefix=a/&delimiter=/&max-keys=2&encoding-type=url'),
    list('list-type=2&prefix=a&delimiter=/&max-keys=2&encoding-type=url&fetch-owner=true'),
    list('list-type=2&delimiter=/&max-keys=1&start-after=a/'),
    list('delimiter=/&max-keys=1&marker=a'),
    list('delimiter=/&max-keys=1&marker=a/'),
  ]);
  same(
    'types of lists',
    ['1', '2', '3', '0'].map((type) => list(`list-type=${type}`)),
  );
  same(
    'types of lists that there are not',
    ['', 'x', '-1', '%202'].map((type) => list(`list-type=${type}`)),
  );
  same(
    'tokens that nobody gave out',
    ['YQ', '*', '/w=='].map((token) => list(`list-type=2&continuation-token=${token}`)),
  );
  same('page by page', async (on) => {
    for (const query of ['max-keys=2&', 'max-keys=2&delimiter=/&', 'max-keys=3&prefix=a&', 'max-keys=1&delimiter=-&']) {
      for (let token = ''; ; ) {
        const { swift } = await on.send(list(`list-type=2&${query}${token}`));
        const next = /<NextContinuationToken>([^<]*)</.exec(swift.body.toString())?.[1];
        if (!next) break;
        token = `continuation-token=${encodeURIComponent(next)}`;
      }
    }
  });
  same('what is of neither version', [list('x=y'), list('x'), list('Prefix=a'), list('&&prefix=a&')]);
  same(
    'HEAD',
    [s3('HEAD', at('l?prefix=a')), s3('HEAD', at('l?max-keys=x'))].map((exchange) => ({
      ...exchange,
      ignore: ['content-type', 'last-modified', 'x-amz-bucket-region'],
    })),
  );
  same('versions of a bucket without any', [
    ...[
      '',
      'prefix=a',
      'delimiter=/',
      'max-keys=2',
      'key-marker=a',
      'key-marker=a&version-id-marker=null',
      'version-id-marker=null',
      'encoding-type=url',
      'max-keys=0',
      'key-marker=a/b&max-keys=1&delimiter=/',
    ].map((query) => list(`versions${query === '' ? '' : `&${query}`}`)),
    list('versions', 'missing'),
    list('versions', 'empty'),
    s3('GET', at('l/a?versions')),
  ]);
});
