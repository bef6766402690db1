import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { encodeMarshal } from '@zerocloud/sandbox/snapshots/marshal';
import { findPythonRequest } from '@zerocloud/sandbox/snapshots/python-command';
import { endOfArchive, member } from '../../../support/tar-blocks';

function request(args: string[], env: Record<string, string> = {}): Uint8Array | undefined {
  const root = new RootFs();
  const files = {
    'main.py': 'print(1)',
    'dir/x.py': '',
    'dir/__main__.py': '',
    'old.pyc': '',
    'app.zip': 'xPK\x05\x06x',
  };
  const data = Buffer.concat([
    ...Object.entries(files).map(([name, text]) => member({ name }, text)),
    member({ name: 'link.py', type: '2', linkName: 'dir/x.py' }),
    endOfArchive,
  ]);
  root.mountTar({ kind: 'bytes', data });
  return findPythonRequest({ args: ['python', ...args], env, root, plain: false });
}

test.each([
  ['a command', ['-c', 'x=1', 'a'], ['c', 'x=1\n', '', 0, ['-c', 'a'], ['python', '-c', 'x=1', 'a'], []]],
  ['a module', ['-m', 'x', 'a'], ['m', 'x', '/', 0, ['-m', 'a'], ['python', '-m', 'x', 'a'], []]],
  ['a script', ['main.py', '-c'], ['f', '//main.py', '', 0, ['main.py', '-c'], ['python', 'main.py', '-c'], []]],
  ['a script in a directory', ['dir/x.py'], ['f', '//dir/x.py', 'dir', 0, ['dir/x.py'], ['python', 'dir/x.py'], []]],
  ['a script of the root', ['/main.py'], ['f', '/main.py', '/', 0, ['/main.py'], ['python', '/main.py'], []]],
])('serves %s', (_what, args, expected) => {
  expect(request(args)).toEqual(encodeMarshal(expected as never));
});

test.each([
  ['an option', ['-O', 'main.py']],
  ['a command joined to its option', ['-cprint(1)']],
  ['a missing command', ['-c']],
  ['a missing script', ['none.py']],
  ['a directory', ['dir']],
  ['a compiled script', ['old.pyc']],
  ['a zip archive', ['app.zip']],
  ['a symbolic link', ['link.py']],
  ['a path with dots', ['dir/../main.py']],
  ['a script on a missing standard input', []],
])('leaves %s to an interpreter of its own', (_what, args) => {
  expect(request(args)).toBeUndefined();
});

test.each(['PYTHONHASHSEED', 'PYTHONOPTIMIZE', 'PYTHONHOME', 'LANG', 'LC_ALL'])(
  'leaves %s to an interpreter of its own',
  (name) => {
    expect(request(['main.py'], { [name]: '1' })).toBeUndefined();
    expect(request(['main.py'], { PYTHONPATH: '/lib', LANGUID: '1', X_PYTHON: '1' })).toBeDefined();
  },
);

test('writes what Python reads as marshal', () => {
  // python3 -c 'import marshal; print(marshal.loads(bytes.fromhex("…")))'  →  (None, -2, 'é', ('a',))
  expect(Buffer.from(encodeMarshal([null, -2, 'é', ['a']])).toString('hex')).toBe(
    '28040000004e69feffffff7502000000c3a928010000007501000000 61'.replace(' ', ''),
  );
});
