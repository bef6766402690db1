import path from 'node:path';
import { findZerovmOptions } from '@zerocloud/sandbox/cli/zerovm-options';
import { parseIni } from '@zerocloud/sandbox/cli/zvsh-config';
import { parseImage, parseZvshOptions } from '@zerocloud/sandbox/cli/zvsh-options';

const defaults = { skipValidation: false, checkOnly: false, reportTo: 0, verbosity: 0 };

describe('options of zerovm', () => {
  test.each([
    [['m'], { manifest: 'm' }],
    [['-M', 'm'], { manifest: 'm' }],
    [['-Mm'], { manifest: 'm' }],
    [['m', '-s'], { manifest: 'm', skipValidation: true }],
    [['-PQFs', 'm'], { manifest: 'm', skipValidation: true, checkOnly: true }],
    [['-PQt2', 'm'], { manifest: 'm', reportTo: 2 }],
    [['-t', '1', '-v', '3', 'm'], { manifest: 'm', reportTo: 1, verbosity: 3 }],
    [['-T', '/x', 'm'], { manifest: 'm', tracePath: '/x' }],
    [['--', '-m'], { manifest: '-m' }],
  ])('%j', (argv, options) => {
    expect(findZerovmOptions(argv)).toEqual({ ...defaults, ...options });
  });

  test.each([
    [[]],
    [['a', 'b']],
    [['-M', 'a', 'b']],
    [['-t']],
    [['-t', '4', 'm']],
    [['-v9', 'm']],
    [['-T', 'x', 'm']],
    [['--x', 'm']],
  ])('%j is answered by the usage', (argv) => {
    expect(findZerovmOptions(argv)).toBeUndefined();
  });
});

describe('options of zvsh', () => {
  test('end with the command; what follows is the program’s', () => {
    const argv = ['--zvm-image', 'a.tar', '--zvm-image=b.tar,/b', '--zvm-getrc', 'prog', '--zvm-debug', '-h'];
    expect(parseZvshOptions(argv)).toEqual({
      kind: 'run',
      options: {
        images: [parseImage('a.tar'), { source: 'b.tar', mountPoint: '/b', access: 'ro' }],
        debug: false,
        trace: false,
        getrc: true,
        command: 'prog',
        args: ['--zvm-debug', '-h'],
      },
    });
  });

  test.each([
    [['-h'], { kind: 'help' }],
    [['--zvm-list-images', 'x'], { kind: 'list-images' }],
    [['--zvm-export-image', 'python', 'x.tar'], { kind: 'export-image', image: 'python', file: 'x.tar' }],
  ])('%j', (argv, request) => {
    expect(parseZvshOptions(argv)).toEqual(request);
  });

  test.each([
    ['', "image '' is not PATH[,MOUNT[,ACCESS]]"],
    ['a,/b,ro,x', "image 'a,/b,ro,x' is not PATH[,MOUNT[,ACCESS]]"],
    ['a,b', "image 'a,b': mount point b is not an absolute path"],
    ['a,/b,rw', "image 'a,/b,rw': access rw is not supported, only ro and wo"],
  ])('image %j is refused', (text, message) => {
    expect(() => parseImage(text)).toThrow(message);
  });
});

describe('a configuration file', () => {
  test('has sections, settings with = or :, and comments', () => {
    const file = path.resolve('zvsh.cfg');
    const text = '# one\n; two\n[ manifest ]\nNode = 2\ntimeout: 3\n[env]\nURL = http://x/?a=b\nEmpty =\n';
    expect(parseIni(file, text)).toEqual([
      { section: 'manifest', key: 'node', value: '2' },
      { section: 'manifest', key: 'timeout', value: '3' },
      { section: 'env', key: 'URL', value: 'http://x/?a=b' },
      { section: 'env', key: 'Empty', value: '' },
    ]);
  });

  test.each([
    ['Node = 1\n', 'zvsh.cfg:1: not a setting'],
    ['[env]\nalone\n', 'zvsh.cfg:2: not a setting'],
    ['[constructor]\n', 'zvsh.cfg:1: unknown section [constructor]'],
  ])('is refused with the line: %j', (text, message) => {
    expect(() => parseIni('zvsh.cfg', text)).toThrow(message);
  });
});
