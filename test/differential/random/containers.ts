import fc from 'fast-check';
import { accountSettings, acls, containerSettings, reading, someOf } from './headers';
import {
  accountPath,
  containerPath,
  listingParameters,
  noBody,
  none,
  objectParameters,
  only,
  request,
  someParameters,
} from './parts';

export const listContainer = request(
  only('GET', 'GET', 'GET', 'HEAD'),
  containerPath,
  someParameters(
    { ...listingParameters, path: ['', 'p', 'p/'], versions: [''], version_marker: ['{version}', 'x', 'null', ''] },
    4,
  ),
  fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: reading }),
  noBody,
);
export const listAccount = request(
  only('GET', 'GET', 'GET', 'HEAD'),
  accountPath,
  someParameters(listingParameters, 4),
  fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: reading }),
  noBody,
);
export const changeContainer = request(
  only('PUT', 'POST', 'POST', 'DELETE'),
  containerPath,
  fc.oneof({ weight: 5, arbitrary: only('') }, { weight: 1, arbitrary: someParameters(objectParameters, 1) }),
  containerSettings,
  noBody,
);
export const changeAccount = request(only('PUT', 'POST', 'POST'), accountPath, only(''), accountSettings, noBody);
export const listVersions = request(
  only('GET'),
  only('/v1/{account}/v', '/v1/{account}/%C3%BC%20c', '/v1/{account}/h', '/v1/{account}/c'),
  fc
    .tuple(
      only('?versions', '?format=json', '?'),
      someParameters(
        {
          prefix: ['o', 'n'],
          limit: ['1', '2'],
          reverse: ['on'],
          delimiter: ['/', 'o'],
          format: ['json', 'xml'],
          marker: ['n', 'o'],
          version_marker: ['{version}'],
        },
        3,
      ),
    )
    .map(([a, b]) => a + b.replace('?', '&')),
  none,
  only(''),
  only(undefined),
);
const letters = fc
  .string({ unit: fc.constantFrom('a', 'b', '/', '-', '0', 'ü', '𝄞', '\uffef'), maxLength: 3 })
  .map(encodeURIComponent);
/** Listings of the names of few letters that `objects.ts` puts. */
export const listNamed = request(
  only('GET'),
  only('/v1/{account}/d'),
  fc
    .record(
      {
        prefix: letters,
        delimiter: letters,
        marker: letters,
        end_marker: letters,
        limit: only('1', '2', '3', '5'),
        reverse: only('true', 'false'),
        format: only('json', 'xml', 'plain'),
      },
      { requiredKeys: [] },
    )
    .map(
      (parameters) =>
        `?${Object.entries(parameters)
          .map(([name, value]) => `${name}=${value}`)
          .join('&')}`,
    ),
  none,
  only(''),
  only(undefined),
);
/** Who may do what changes while they do it. */
export const grants = request(
  only('POST'),
  only('/v1/{account}/c', '/v1/{account}/l'),
  only(''),
  someOf({ 'x-container-read': acls, 'x-container-write': acls }, 2),
  only(''),
  only(undefined),
);
