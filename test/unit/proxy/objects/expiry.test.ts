import { readDeleteAt } from '@zerocloud/proxy/objects/expiry';

const now = '1700000000.50000';

test.each([
  [{}, undefined],
  [{ 'x-delete-at': '1700000001' }, 1700000001],
  [{ 'x-delete-at': ' 5000000000 ' }, 5000000000],
  [{ 'x-delete-at': '9'.repeat(30) }, 9999999999],
  [{ 'x-delete-after': '1' }, 1700000001],
  [{ 'x-delete-after': '1000' }, 1700001000],
  [{ 'x-delete-after': '99999999999' }, 9999999999],
  [{ 'x-delete-after': '1000', 'x-delete-at': 'nonsense' }, 1700001000],
])('%j deletes at %s', (headers, deleteAt) => expect(readDeleteAt(headers, now)).toBe(deleteAt));

test.each([
  ['x-delete-at', '', 'Non-integer X-Delete-At'],
  ['x-delete-at', 'abc', 'Non-integer X-Delete-At'],
  ['x-delete-at', '1700000100.5', 'Non-integer X-Delete-At'],
  ['x-delete-at', '1e10', 'Non-integer X-Delete-At'],
  ['x-delete-at', '-1', 'X-Delete-At in past'],
  ['x-delete-at', '0', 'X-Delete-At in past'],
  ['x-delete-at', '1700000000', 'X-Delete-At in past'],
  ['x-delete-after', '', 'Non-integer X-Delete-After'],
  ['x-delete-after', '1.5', 'Non-integer X-Delete-After'],
  ['x-delete-after', '0', 'X-Delete-After in past'],
  ['x-delete-after', '-1', 'X-Delete-After in past'],
])('%s: "%s" is refused: %s', (name, value, sentence) => {
  expect(() => readDeleteAt({ [name]: value }, now)).toThrow(
    expect.objectContaining({ status: 400, body: sentence, headers: { 'content-type': 'text/plain' } }),
  );
});
