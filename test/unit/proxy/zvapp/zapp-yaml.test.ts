import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readZappYaml } from '@zerocloud/proxy/zvapp/zapp-yaml';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'zapp-yaml-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function read(zapp: object) {
  const file = path.join(directory, 'zapp.yaml');
  writeFileSync(file, JSON.stringify(zapp));
  return readZappYaml(file);
}

const group = { name: 'a', path: 'file://python2.7:python', args: 'main.py' };

test('path, args and env become the program, every other key is the job’s', () => {
  const devices = [{ name: 'stdout' }];
  const more = { devices, connect: ['b'], count: 2, attach: 'stdin', anything: [1] };
  const { description } = read({
    execution: { groups: [{ ...group, args: `main.py 'a b' x,y`, env: { A: '1' }, ...more }] },
  });
  const exec = { path: group.path, name: 'python', args: 'main.py a\\x20b x\\x2cy', env: { A: '1' } };
  expect(description).toEqual([{ name: 'a', ...more, exec }]);
});

test.each([
  ['file://python2.7:python', 'python'],
  ['file://bin/tool', 'bin/tool'],
  ['swift://~/container/dir/tool', 'dir/tool'],
])('the program %s is called %s', (url, name) => {
  const { description } = read({ execution: { groups: [{ ...group, path: url }] } });
  expect(description).toMatchObject([{ exec: { name } }]);
});

test('patterns match as a shell’s, in their order, and hidden files only when they are named', () => {
  for (const file of ['b.py', 'a.py', '.hidden.py', 'text', 'lib/x.py', '[odd]']) {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), '');
  }
  const members = (bundling: string[], ui?: string[]) => read({ execution: { groups: [group] }, bundling, ui }).members;
  expect(members(['*.py', 'lib'])).toEqual(['a.py', 'b.py', 'lib']);
  expect(members(['text'], ['*/x.py'])).toEqual(['text', 'lib/x.py']);
  expect(members(['.hidden.py', '[odd]', 'nothing*'])).toEqual(['.hidden.py', '[odd]']);
});

test.each<[object, string]>([
  [[], 'not a mapping'],
  [{ execution: {} }, 'execution.groups is not a list'],
  [{ execution: { groups: ['a'] } }, 'a group is not a mapping'],
  [{ execution: { groups: [{ name: 'a', args: '' }] } }, "group 'a' has no path"],
  [{ execution: { groups: [{ ...group, args: undefined }] } }, "group 'a' has no args"],
  [{ execution: { groups: [{ ...group, args: '"' }] } }, "args of group 'a': no closing quotation"],
  [{ execution: { groups: [group] }, bundling: 'x' }, 'bundling and ui are lists of patterns'],
  [{ execution: { groups: [group] }, bundling: ['../x'] }, "pattern '../x' leaves the directory of the application"],
  [{ execution: { groups: [group] }, ui: ['/etc/passwd'] }, "pattern '/etc/passwd' leaves the directory"],
  [{ execution: { groups: [group] }, dependencies: ['six'] }, 'dependencies are part of a bundle'],
])('%j: %s', (zapp, sentence) => {
  expect(() => read(zapp)).toThrow(sentence);
});
