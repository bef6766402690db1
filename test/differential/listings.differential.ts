import { differential } from './differential';

/** Names in which prefixes, delimiters, markers and the order of bytes all matter. */
const names = ['a', 'a/', 'a/b', 'a/b/c', 'a0', 'b%2Fc', 'b//c', 'b/c', 'ä', 'ä/x', '日本', '&<>"', ' ', 'Z'];

const values: Record<string, string[]> = {
  limit: ['0', '1', '3', '10001', 'x', '-1', ''],
  marker: ['a', 'a/', 'b/', 'zz', ''],
  end_marker: ['a/b', 'b', ''],
  prefix: ['a', 'a/', 'b/', 'nothing', ''],
  delimiter: ['/', '//', 'b', ''],
  reverse: ['true', 'no'],
  path: ['', 'a', 'a/', 'b'],
  format: ['json', 'xml', 'plain', 'other'],
};

differential('listings', ({ account, prepare, same }) => {
  prepare(() => [
    { method: 'PUT', path: `/v1/${account}/listed` },
    { method: 'PUT', path: `/v1/${account}/empty` },
    ...['a', 'a-b', 'a-c', 'ä'].map((name) => ({
      method: 'PUT',
      path: `/v1/${account}/more-${encodeURIComponent(name)}`,
    })),
    ...names.map((name) => ({
      method: 'PUT',
      path: `/v1/${account}/listed/${encodeURIComponent(name)}`,
      headers: { 'content-type': 'text/plain; charset="ü&"' },
      body: name,
    })),
  ]);

  const parameters = Object.keys(values);
  for (const [index, first] of parameters.entries()) {
    for (const second of parameters.slice(index + 1)) {
      const queries = values[first]!.flatMap((one) =>
        values[second]!.map((other) => `${first}=${encodeURIComponent(one)}&${second}=${encodeURIComponent(other)}`),
      );
      same(
        `objects by ${first} and ${second}`,
        queries.map((query) => ({ path: `/v1/${account}/listed?${query}` })),
      );
    }
    same(
      `containers by ${first}`,
      values[first]!.map((value) => ({ path: `/v1/${account}?${first}=${encodeURIComponent(value)}` })),
    );
  }

  same('an empty container', [
    { path: `/v1/${account}/empty` },
    { path: `/v1/${account}/empty?format=json` },
    { path: `/v1/${account}/empty?format=xml` },
    { method: 'HEAD', path: `/v1/${account}/empty` },
    { method: 'HEAD', path: `/v1/${account}/empty?format=json` },
  ]);

  same('parameters that are no UTF-8, doubled, without value or unknown', [
    { path: `/v1/${account}?prefix=%ff` },
    { path: `/v1/${account}/listed?marker=%00` },
    { path: `/v1/${account}/listed?prefix=a&prefix=b` },
    { path: `/v1/${account}/listed?prefix` },
    { path: `/v1/${account}/listed?unknown=1` },
    { path: `/v1/${account}/listed?limit=%20%205` },
    { path: `/v1/${account}/listed?limit=+5` },
    { path: `/v1/${account}/listed?delimiter=${'x'.repeat(300)}` },
  ]);

  const accepts = [
    'application/json',
    'application/xml',
    'text/xml',
    'text/*',
    '*/*',
    'application/*;q=0.1, text/plain;q=0.9',
    'image/png',
    'nonsense',
    'text/plain; q=x',
    ' , ',
  ];
  same(
    'Accept',
    accepts.flatMap((accept) =>
      [`/v1/${account}/listed`, `/v1/${account}`].map((path) => ({ path, headers: { accept } })),
    ),
  );

  same('a parameter of a container that is no UTF-8', [
    { path: `/v1/${account}/listed?prefix=%ff` },
    { path: `/v1/${account}/listed?format=%ff` },
  ]);
  same('what is not wanted in Accept', [{ path: `/v1/${account}/listed`, headers: { accept: 'text/plain;q=0' } }]);
});
