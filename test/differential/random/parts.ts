import fc from 'fast-check';
import type { Exchange } from '../exchange';
import { bodies, type Headers } from './headers';
import { aContainer, anObject, encodeName } from './names';

/** Like `{account}` in paths and headers, `{other}` is an account beside it. */
export type Arbitrary = fc.Arbitrary<Exchange>;

export const users = fc.oneof(
  { weight: 12, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.constantFrom('test:tester', 'test:tester3', '', 'test2:tester2') },
);
export const accounts = fc.constantFrom(
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{account}',
  '{other}',
);

export function someParameters(values: Record<string, string[]>, max = 3): fc.Arbitrary<string> {
  const pairs = Object.entries(values).flatMap(([name, all]) => all.map((value) => `${name}=${value}`));
  return fc
    .oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: fc.array(fc.constantFrom(...pairs), { maxLength: max }) },
    )
    .map((list) => (list.length === 0 ? '' : `?${list.join('&')}`));
}
export const names = [
  '',
  'a',
  'p',
  'p%2F',
  'p/a',
  'o',
  'zz',
  '%C3%B6',
  '%C3%B6/',
  '%20',
  'v',
  'c',
  '%F0%9D%84%9E',
  '+',
];
export const listingParameters = {
  limit: ['0', '1', '2', '3', '10000', '10001', 'x', '-1', '', '1.5', '%2B2', '99999999999999999999'],
  marker: names,
  end_marker: names,
  prefix: names,
  delimiter: ['/', 'p', '', '//', 'a', '%C3%B6', '/a', '%20'],
  reverse: ['true', 'on', 'no', '', 'x', '1', 'True'],
  format: ['json', 'xml', 'plain', 'JSON', '', 'x'],
  unknown: ['', '1'],
};
export const objectParameters = {
  'multipart-manifest': ['get', 'put', 'delete', '', 'x'],
  format: ['raw', 'json', 'xml', ''],
  symlink: ['get', '', 'GET'],
  'version-id': ['{version}', '{version}', 'null', '', 'x', '1500000000.00000'],
  versions: [''],
  temp_url_sig: ['x'],
  temp_url_expires: ['1'],
  filename: ['x'],
  unknown: ['%ff', '1'],
  'part-number': ['1', '2', '9', '0', 'x'],
};

const pathTo = (account: string, container: string, object?: string) =>
  `/v1/${account}/${encodeName(container)}${object === undefined ? '' : `/${encodeName(object)}`}`;
export const objectPath = fc
  .tuple(accounts, aContainer, anObject)
  .map(([account, container, object]) => pathTo(account, container, object));
export const containerPath = fc
  .tuple(accounts, aContainer, fc.constantFrom('', '', '', '', '/'))
  .map(([account, container, end]) => pathTo(account, container) + end);
export const accountPath = fc.constantFrom('/v1/{account}', '/v1/{account}', '/v1/{account}/', '/v1/{other}');

export const manyBodies = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...bodies) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
export const noBody = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: manyBodies });
export const none = fc.constant({} as Headers);

export function request(
  method: fc.Arbitrary<string>,
  path: fc.Arbitrary<string>,
  query: fc.Arbitrary<string>,
  headers: fc.Arbitrary<Headers>,
  body: fc.Arbitrary<string>,
  who = users,
): Arbitrary {
  return fc.tuple(method, path, query, headers, body, who).map(([method, path, query, headers, body, user]) => ({
    method,
    path: path + query,
    headers,
    ...(body !== '' && { body: Buffer.from(body, 'latin1') }),
    ...(user !== undefined && { user }),
  }));
}
export const only = fc.constantFrom;
