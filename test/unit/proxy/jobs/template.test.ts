import { Query } from '@zerocloud/proxy/http/query';
import { fillTemplate } from '@zerocloud/proxy/jobs/template';

const fill = (template: string, query: string) => fillTemplate(template, new Query(`/x?${query}`), 'swift://a/c/"o"');

describe('a template', () => {
  test.each([
    ['{.a}', 'a=1', '1'],
    ['{.a}', '', ''],
    ['{.a=x y}', '', 'x y'],
    ['{.a=}', '', ''],
    ['{.a=x}', 'a=', ''],
    ['{.a=x}', 'a=1&b=2', '1'],
    ['{.a}{.b=2}{.a=3}', 'a=1', '121'],
    ['{.a}', 'a=%C3%A5+b', 'å b'],
    ['{.object_path}', 'object_path=mine', 'swift://a/c/\\"o\\"'],
    ['{.object_path=x}', '', 'swift://a/c/\\"o\\"'],
    ['{"a": {"b": 1}} { .a } {a}', 'a=1', '{"a": {"b": 1}} { .a } {a}'],
    ['{.a}', 'a={.b}&b=1', '{.b}'],
  ])('%j with %j is %j', (template, query, filled) => {
    expect(fill(template, query)).toBe(filled);
  });

  test.each(['"', '\\', '\\"', '"}],[{"', '\n', '\u2028', '$&', '\ud83d\ude00'])(
    'keeps %j inside its quotes',
    (value) => {
      const filled = fill('{"x": "{.a}"}', `a=${encodeURIComponent(value)}`);
      expect(JSON.parse(filled)).toEqual({ x: value });
    },
  );
});
