import { Crc64 } from '@zerocloud/proxy/s3/payload/crc64';
import { findText, parseXml, textElement, xmlDocument } from '@zerocloud/proxy/s3/xml';
import fc from 'fast-check';

test('text survives a document, whatever it is', () => {
  const text = fc.string({ unit: 'binary' }).filter((value) => !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(value));
  fc.assert(
    fc.property(text, (value) => {
      const document = xmlDocument('Root', textElement('Key', value));
      expect(findText(parseXml(document, 'Root'), 'Key')).toBe(value);
    }),
  );
});

test('namespaces are looked through', () => {
  const document = Buffer.from('<s:Root xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:Key>a</s:Key></s:Root>');
  expect(findText(parseXml(document, 'Root'), 'Key')).toBe('a');
});

test.each([
  ['a document type', '<!DOCTYPE Root><Root/>'],
  ['entities that grow', '<!DOCTYPE Root [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Root>&b;</Root>'],
  ['an unknown entity', '<Root>&b;</Root>'],
  ['another root', '<Other/>'],
  ['two roots', '<Root/><Root/>'],
  ['an element that stays open', '<Root>'],
  ['an undeclared prefix', '<x:Root/>'],
  ['an attribute twice', '<Root a="1" a="2"/>'],
  ['nothing', ''],
  ['depth', `${'<Root>'.repeat(9)}${'</Root>'.repeat(9)}`],
  ['more elements than any list needs', `<Root>${'<a/>'.repeat(100_001)}</Root>`],
  ['bytes that are no UTF-8', '<Root>\xff</Root>'],
])('%s is malformed', (_what, document) => {
  expect(() => parseXml(Buffer.from(document, 'latin1'), 'Root')).toThrow(
    expect.objectContaining({ code: 'MalformedXML' }),
  );
});

test('one child of a name is one', () => {
  const root = parseXml(Buffer.from('<Root><Key>a</Key><Key>b</Key></Root>'), 'Root');
  expect(() => findText(root, 'Key')).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  expect(findText(root, 'Other')).toBeUndefined();
});

test('CRC-64/NVME of its check value, in one piece or in many', () => {
  const bytes = Buffer.from('123456789');
  const expected = Buffer.from('ae8b14860a799888', 'hex').toString('base64');
  const whole = new Crc64();
  whole.update(bytes);
  expect(whole.digest()).toBe(expected);
  const pieces = new Crc64();
  for (const byte of bytes) pieces.update(Uint8Array.of(byte));
  expect(pieces.digest()).toBe(expected);
});
