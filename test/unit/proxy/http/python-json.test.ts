import { pythonJson } from '@zerocloud/proxy/http/python-json';

test.each<[unknown, string]>([
  [[], '[]'],
  [{}, '{}'],
  [{ b: 1, a: [true, null, 'x'] }, '{"b": 1, "a": [true, null, "x"]}'],
  ['"\\\n\t\u007f', '"\\"\\\\\\n\\t\\u007f"'],
  ['é 日 😀', '"\\u00e9 \\u65e5 \\ud83d\\ude00"'],
  [{ a: undefined, ü: 2 }, '{"\\u00fc": 2}'],
])('writes %j as Python does', (value, text) => {
  expect(pythonJson(value)).toBe(text);
});

test('sorts keys on request, at every level', () => {
  expect(pythonJson([{ b: { z: 1, y: 2 }, a: 3 }], { sortKeys: true })).toBe('[{"a": 3, "b": {"y": 2, "z": 1}}]');
});
