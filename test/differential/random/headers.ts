import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { aPlace, utf8 } from './names';

export type Headers = Record<string, string | string[]>;

export const bodies = ['', 'x', 'abcdefghij'.repeat(10), utf8('ü'), '{"a": [1, 2]}', '\0\r\n\0'];
export const md5 = (text: string) => createHash('md5').update(text, 'latin1').digest('hex');
const body = bodies[2]!;

/** Some of the headers given, in any combination; each written in one of several ways. */
export function someOf(values: Record<string, fc.Arbitrary<string>>, max = 3): fc.Arbitrary<Headers> {
  const one = fc.constantFrom(...Object.keys(values)).chain((name) =>
    fc.tuple(
      fc.constantFrom(
        name,
        name,
        name,
        name.toUpperCase(),
        name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
      ),
      fc.oneof(
        { weight: 12, arbitrary: values[name]! },
        {
          weight: /since|expires/.test(name) ? 0 : 1,
          arbitrary: fc.tuple(values[name]!, values[name]!).map((pair) => pair as string[]),
        },
      ),
    ),
  );
  return fc
    .uniqueArray(one, { maxLength: max, selector: ([name]) => name.toLowerCase() })
    .map((pairs) => Object.fromEntries(pairs));
}

export const join = (...all: fc.Arbitrary<Headers>[]): fc.Arbitrary<Headers> =>
  fc.tuple(...all).map((parts) => {
    const joined: Headers = {};
    const names = new Set<string>();
    for (const part of parts) {
      for (const [name, value] of Object.entries(part)) {
        if (names.has(name.toLowerCase())) continue;
        names.add(name.toLowerCase());
        joined[name] = value;
      }
    }
    return joined;
  });

const times = fc.constantFrom(
  'Sat, 01 Jan 2000 00:00:00 GMT',
  'Fri, 01 Jan 2100 00:00:00 GMT',
  'Saturday, 01-Jan-00 00:00:00 GMT',
  'Sat Jan  1 00:00:00 2000',
  'Sat, 01 Jan 2000 00:00:00 +0100',
  '2000-01-01T00:00:00Z',
  '01 Jan 2000',
  '0',
  '1',
  'nonsense',
  '',
  'Mon, 32 Foo 2000 99:99:99 GMT',
);
const tags = fc.constantFrom(
  '*',
  '"*"',
  md5(body),
  `"${md5(body)}"`,
  `W/"${md5(body)}"`,
  `"x", "${md5(body)}"`,
  `x,${md5(body)}`,
  `"x" "${md5(body)}"`,
  md5(body).toUpperCase(),
  'x',
  '"x"',
  '"x',
  '',
  ',',
  '*, x',
  md5(''),
);
export const conditions = someOf(
  { 'if-match': tags, 'if-none-match': tags, 'if-modified-since': times, 'if-unmodified-since': times },
  2,
);
const number = fc.constantFrom(
  '0',
  '1',
  '2',
  '5',
  '9',
  '50',
  '99',
  '100',
  '101',
  '1000',
  '',
  '-1',
  'x',
  '99999999999999999999',
  ' 3',
  '+1',
  '1.5',
);
const oneRange = fc.tuple(number, number).map(([from, to]) => `${from}-${to}`);
export const ranges = someOf(
  {
    range: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          'bytes=0-0',
          'bytes=5-',
          'bytes=-5',
          'bytes=2-1',
          'bytes=0-1,5-6',
          'bytes=0-1, 200-',
          'bytes=-0',
          'bytes=100-',
        ),
      },
      {
        weight: 4,
        arbitrary: fc
          .tuple(
            fc.constantFrom('bytes=', 'bytes=', 'bytes=', 'bytes =', 'Bytes=', 'items=', '', 'bytes'),
            fc.array(oneRange, { minLength: 1, maxLength: 4 }),
            fc.constantFrom(',', ',', ', ', ' ,', ';', ',,'),
          )
          .map(([unit, list, comma]) => unit + list.join(comma)),
      },
    ),
  },
  1,
);

export const text = fc
  .oneof(
    fc.constantFrom(
      '',
      'a',
      'A b',
      '  a  ',
      'ü',
      '日本 𝄞',
      'x'.repeat(256),
      'x'.repeat(257),
      '"',
      'a,b',
      '%20',
      '%',
      'None',
      '0',
      '\t',
      'a\tb',
      '=?utf-8?q?=',
      'é',
      '\u00a0',
      '\u2028',
    ),
    fc.string({ unit: 'grapheme-composite', maxLength: 8 }),
  )
  .map((value) => utf8(value.replace(/[\0-\x08\x0a-\x1f\x7f]/g, '')));

const names = ['a', 'b-c', 'under_score', 'Web', 'x.y', 'n'.repeat(120), "!#$%&'*+.^`|~", '0', 'name'];
export function metadata(kind: string, max = 3): fc.Arbitrary<Headers> {
  const values: Record<string, fc.Arbitrary<string>> = {};
  for (const name of names) {
    values[`x-${kind}-meta-${name}`] = text;
    values[`x-remove-${kind}-meta-${name}`] = text;
  }
  values[`x-${kind}-meta-`] = text;
  return someOf(values, max);
}

const mediaTypes = fc.constantFrom(
  'text/plain',
  'text/html; charset=utf-8',
  'Text/Plain',
  'a/b;c="d;e"',
  'nonsense',
  '',
  ' ',
  'application/octet-stream',
  'a/b; swift_bytes=1',
  'a/b;swift_bytes=1;c=d',
  'a/b;charset=',
  'a/b ;  c=d',
  utf8('text/ü'),
  'multipart/form-data',
  'application/x-www-form-urlencoded',
  'application/directory',
  'a/b;',
  '*/*',
  'text/plain;charset=latin1',
  'application/json',
);

const moments = fc.constantFrom(
  '9999999999',
  '99999999999',
  '4000000000',
  '4000000000.5',
  '1',
  '0',
  '-1',
  'x',
  '',
  '1e9',
  ' 4000000000 ',
  '4000000000x',
);
const durations = fc.constantFrom('100000', '0', '-1', 'x', '', '1.5', '99999999999', ' 100000', '+100000', '1e5');
const yes = fc.constantFrom('true', 'True', 'yes', 'on', '1', 't', 'false', 'no', '0', '', 'maybe');
/** What an object's PUT, POST and COPY may say of it. */
export const about = join(
  metadata('object', 2),
  someOf(
    {
      'content-type': mediaTypes,
      'content-encoding': fc.constantFrom('gzip', '', utf8('ü'), 'a, b'),
      'content-disposition': fc.constantFrom(
        'attachment; filename="a"',
        'inline',
        '',
        utf8('attachment; filename="ü"'),
      ),
      'content-language': fc.constantFrom('de', ''),
      'cache-control': fc.constantFrom('no-cache', ''),
      expires: times,
      'x-robots-tag': fc.constant('none'),
      'x-delete-at': moments,
      'x-delete-after': durations,
      'x-detect-content-type': yes,
      'x-static-large-object': yes,
      'x-fresh-metadata': yes,
      'x-newest': yes,
      'x-timestamp': fc.constantFrom('1', 'x', '1700000000.00000'),
      'x-object-sysmeta-a': text,
      'x-object-transient-sysmeta-a': text,
      'x-backend-storage-policy-index': fc.constantFrom('0', '1', 'x'),
      'x-storage-policy': fc.constantFrom('x', 'gold'),
      'x-trans-id-extra': fc.constantFrom('a', 'x'.repeat(40)),
      'x-object-manifest': fc.constantFrom(
        'd/p/',
        'c/p',
        'c/',
        '/c/p',
        'c',
        '',
        'gone/x',
        'c/p?x',
        'c/p%2F',
        'c//p',
        utf8('ü c/ö'),
      ),
      origin: fc.constantFrom('http://a.test', 'http://b.test', 'null', ''),
      accept: fc.constantFrom('application/json', 'text/xml', 'x'),
      'user-agent': text,
      cookie: fc.constant('a=b'),
      'accept-encoding': fc.constant('gzip'),
    },
    2,
  ),
);

export const uploads = someOf(
  {
    etag: fc.constantFrom(md5(body), `"${md5(body)}"`, md5('x'), `"${md5('x')}"`, 'x', '', '""'),
    'if-none-match': fc.constantFrom('*', '"x"', '"*"'),
    'transfer-encoding': fc.constant('chunked'),
    'x-symlink-target': aPlace,
    'x-symlink-target-etag': fc.constantFrom(md5(body), `"${md5(body)}"`, 'x', '', md5('x')),
    'x-symlink-target-account': fc.constantFrom('{account}', '{other}', 'a/b', '', 'AUTH_nobody', '%41'),
    'x-copy-from': aPlace,
    'x-copy-from-account': fc.constantFrom('{account}', '{other}', 'a/b', '', 'AUTH_nobody'),
  },
  1,
);

export const acls = fc.constantFrom(
  '.r:*',
  '.r:*,.rlistings',
  '.r:.example.com',
  '.r:-a.test,.r:*',
  'test:tester3',
  'test',
  'test:tester',
  '*:*',
  '*:tester3',
  'test:*',
  '.rlistings',
  '.x:y',
  '.r:',
  'a b',
  '',
  ', ,',
  ' test:tester3 , test:tester ',
  '.referrer:*',
  '.ref:*.',
  '.r:-',
  'test:tester3,.rlistings',
  '.r : *',
  utf8('ü:ü'),
);
export const containerSettings = join(
  metadata('container', 2),
  someOf(
    {
      'x-container-read': acls,
      'x-container-write': acls,
      'x-remove-container-read': text,
      'x-remove-container-write': text,
      'x-versions-location': fc.constantFrom('l', 'h', 'gone', '', 'a/b', utf8('ü c'), '%C3%BC%20c', '/l'),
      'x-history-location': fc.constantFrom('l', 'h', '', 'a/b'),
      'x-remove-versions-location': text,
      'x-remove-history-location': text,
      'x-versions-enabled': yes,
      'x-container-meta-quota-bytes': fc.constantFrom('x', '-1', '', '1000000', '1.5'),
      'x-container-meta-quota-count': fc.constantFrom('x', '-1', '', '1000', '+5'),
      'x-container-meta-access-control-allow-origin': fc.constantFrom(
        '*',
        'http://a.test',
        'http://b.test http://a.test',
        '',
      ),
      'x-container-meta-access-control-expose-headers': fc.constantFrom('x-a x-b', 'X-Object-Meta-A', ''),
      'x-container-meta-access-control-max-age': fc.constantFrom('5', 'x'),
      'x-container-meta-temp-url-key': text,
      'x-container-meta-web-index': fc.constantFrom('index.html', 'o', ''),
      'x-storage-policy': fc.constantFrom('x', '', 'Policy-9'),
      'x-container-sysmeta-a': text,
      'x-container-sharding': yes,
      'x-backend-record-type': fc.constantFrom('shard', 'object'),
      'content-type': mediaTypes,
      'x-timestamp': fc.constantFrom('1', 'x'),
      origin: fc.constantFrom('http://a.test', 'null'),
    },
    2,
  ),
);
export const accountSettings = join(
  metadata('account', 2),
  someOf(
    {
      'x-account-access-control': fc.constantFrom(
        '{"admin":["test:tester"]}',
        '{"read-only":["test:tester3"]}',
        '{"read-write":["test:tester3"]}',
        '{}',
        '',
        '[]',
        '{"x":[]}',
        '{"admin":"x"}',
        '{"admin":[1]}',
        'x',
        'null',
        '{"admin":[]}',
        utf8('{"read-only":["ü"]}'),
        '{"read-only":["*:*"]}',
      ),
      'x-account-meta-temp-url-key': text,
      'x-account-sysmeta-a': text,
      'content-type': mediaTypes,
      'x-account-meta-quota-bytes': fc.constantFrom('x', '', '-1'),
    },
    2,
  ),
);
export const reading = someOf(
  {
    'x-newest': yes,
    origin: fc.constantFrom('http://a.test', 'http://b.test', 'null', ''),
    referer: fc.constantFrom('http://example.com/', 'http://www.example.com/x', 'http://a.test', 'x', ''),
    accept: fc.constantFrom(
      'application/json',
      'text/xml',
      'x',
      '*/*',
      'text/plain;q=0.5,application/xml',
      'text/*',
      '',
    ),
    'x-backend-etag-is-at': fc.constant('x-object-meta-a'),
    'x-backend-replication': yes,
    'x-open-expired': yes,
    'accept-encoding': fc.constantFrom('gzip', 'identity;q=0'),
    'x-trans-id-extra': fc.constant('a'),
    'x-object-meta-a': text,
    'content-type': mediaTypes,
  },
  2,
);
