import { encodePath, readCopySource, readDestination } from '@zerocloud/proxy/objects/copy-request';

const pathSentence = (header: string) => `${header} header must be of the form <container name>/<object name>`;
const refusal = (body: string) => expect.objectContaining({ status: 412, body });

test.each([
  ['c/o', 'c', 'o'],
  ['/c/o', 'c', 'o'],
  ['c/a/b', 'c', 'a/b'],
  ['c//o', 'c', '/o'],
  ['c/o/', 'c', 'o/'],
  ['c/o?x=1', 'c', 'o?x=1'],
  ['%2Fc%2Fo', 'c', 'o'],
  ['c/%C3%A9%20x', 'c', 'é x'],
  ['c/\u00c3\u00a9', 'c', 'é'],
  ['c/a%2525', 'c', 'a%25'],
  ['c/100%', 'c', '100%'],
  ['c/a\u0085b', undefined, undefined],
])('Destination: %s', (destination, container, object) => {
  if (container === undefined) {
    expect(() => readDestination({ destination }, 'AUTH_a')).toThrow(refusal('Invalid UTF8 or contains NULL'));
  } else {
    expect(readDestination({ destination }, 'AUTH_a')).toEqual({ account: 'AUTH_a', container, object });
  }
});

test.each(['c', 'c/', '/c', '/', '//c/o'])('Destination: %s is no path', (destination) => {
  expect(() => readDestination({ destination }, 'AUTH_a')).toThrow(refusal(pathSentence('Destination')));
});

test.each([
  [{}, 'Destination header required'],
  [{ destination: '' }, 'Destination header required'],
  [{ destination: 'c/%ff' }, 'Invalid UTF8 or contains NULL'],
  [{ destination: 'c/a%00b' }, 'Invalid UTF8 or contains NULL'],
  [{ destination: 'c/o', 'destination-account': '' }, 'Account name cannot be empty'],
  [{ destination: 'c/o', 'destination-account': 'a/b' }, 'Account name cannot contain slashes'],
  [{ destination: 'c/o', 'destination-account': 'a%2Fb' }, 'Account name cannot contain slashes'],
])('%j is refused: %s', (headers, sentence) => {
  expect(() => readDestination(headers, 'AUTH_a')).toThrow(refusal(sentence));
});

test('Destination-Account and X-Copy-From-Account name another account', () => {
  expect(readDestination({ destination: 'c/o', 'destination-account': 'AUTH_%62' }, 'AUTH_a').account).toBe('AUTH_b');
  expect(readCopySource({ 'x-copy-from': 'c/o', 'x-copy-from-account': 'AUTH_b' }, 'AUTH_a').account).toBe('AUTH_b');
  expect(readCopySource({ 'x-copy-from': 'c/o', 'x-copy-from-account': '' }, 'AUTH_a').account).toBe('AUTH_a');
});

test('X-Copy-From is refused like Destination, with its own name', () => {
  expect(() => readCopySource({ 'x-copy-from': 'c' }, 'AUTH_a')).toThrow(refusal(pathSentence('X-Copy-From')));
});

test.each([
  ['c/o', 'c/o'],
  ['c/é x', 'c/%C3%A9%20x'],
  ["c/it's (1)!*~", 'c/it%27s%20%281%29%21%2A~'],
  ['c/100%', 'c/100%25'],
])('%s travels as %s', (path, encoded) => expect(encodePath(path)).toBe(encoded));
