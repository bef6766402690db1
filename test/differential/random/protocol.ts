import fc from 'fast-check';
import type { Exchange } from '../exchange';
import { join, reading, someOf } from './headers';
import { aPlace } from './names';
import { containerPath, noBody, none, objectParameters, objectPath, only, request, someParameters } from './parts';

export const odd = request(
  only('OPTIONS', 'OPTIONS', 'COPY', 'TRACE', 'PROPFIND', 'LOCK', 'PATCH', 'SEARCH'),
  fc.oneof(objectPath, containerPath, only('/v1/{account}')),
  someParameters(objectParameters, 1),
  join(
    reading,
    someOf(
      {
        'access-control-request-method': only('GET', 'PUT', 'X', ''),
        'access-control-request-headers': only('x-a', 'x-a, X-B', ''),
      },
      2,
    ),
  ),
  noBody,
);
/** Paths as nobody encodes them. */
const rawPath = fc
  .array(
    only(
      '/',
      '//',
      'v1',
      '{account}',
      'c',
      'o',
      '%2F',
      '%2f',
      '%00',
      '%ff',
      '%',
      '%zz',
      '.',
      '..',
      '%2E%2E',
      '?',
      ';a',
      '+',
      '%20',
      'v1.0',
      'v2',
      '~',
      '@',
      '%C3',
      'ä',
      '"',
      '|',
      '^',
      '{',
      '[',
      "'",
      '\\',
    ),
    { maxLength: 6 },
  )
  .map((parts) => `/v1/{account}/c/${parts.join('')}`.replaceAll('ä', '%C3%A4'));
export const oddPath = request(
  only('GET', 'HEAD', 'PUT', 'POST', 'DELETE'),
  rawPath,
  only(''),
  none,
  only('', 'x'),
  only(undefined),
);

/** Lengths that are missing or wrong. */
export const rawLines = fc
  .tuple(
    only('GET', 'PUT', 'POST', 'DELETE', 'COPY', 'HEAD', 'get', 'FOO'),
    only('/v1/{account}/c/o', '/v1/{account}/c/new', '/v1/{account}/c', '/v1/{account}/d'),
    only('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    fc.uniqueArray(
      only(
        'Content-Length: 0',
        'Content-Length: 2',
        'Content-Length: x',
        'Content-Length: -1',
        'Content-Length:',
        'Transfer-Encoding: gzip',
        'Transfer-Encoding: identity',
        'Content-Type: a/b',
        'X-Object-Meta-A:b',
        'X-Object-Meta-A :b',
        'x-object-meta-a:   b   ',
        'X-Container-Meta-A: b',
        'Destination: c/copied',
        'Range: bytes=0-1',
        'Expect: 100-continue',
      ),
      { maxLength: 3 },
    ),
  )
  .map(
    ([method, path, version, lines]): Exchange => ({
      path,
      raw: [
        `${method} ${path} ${version}`,
        'Host: {host}',
        'X-Auth-Token: {token}',
        'Connection: close',
        ...lines,
        '',
        lines.includes('Content-Length: 2') ? 'xy' : '',
      ].join('\r\n'),
    }),
  );

const line = fc.oneof(
  { weight: 4, arbitrary: aPlace },
  { weight: 1, arbitrary: only('', 'c', '/c/', 'c/%', '%ff/o', ' ', 'h', '/gone') },
);
export const bulkDelete = request(
  only('POST', 'POST', 'DELETE'),
  only('/v1/{account}', '/v1/{account}/c'),
  only('?bulk-delete', '?bulk-delete=1', '?bulk-delete&multipart-manifest=delete'),
  someOf(
    { accept: only('application/json', 'text/xml', 'text/plain', 'x'), 'content-type': only('text/plain', 'a/b', '') },
    2,
  ),
  fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n')),
);
