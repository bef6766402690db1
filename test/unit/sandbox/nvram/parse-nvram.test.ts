import { formatNvram } from '@zerocloud/sandbox/nvram/format-nvram';
import { parseNvram } from '@zerocloud/sandbox/nvram/parse-nvram';
import fc from 'fast-check';

function stateOf(text: string): string {
  try {
    parseNvram(text);
  } catch (error) {
    return (error as { state: string }).state;
  }
  throw new Error('accepted');
}

describe("the guest's configuration", () => {
  test('is read section by section', () => {
    const text = `# what to run
[args]
args = python -c "print(1)" a\\x20b \\x2c
[env]
name=LANG, value=C
name=TEXT,value=a\\x0ab\\x22\\x5c
[fstab]
channel=/dev/1.image.tar,mountpoint=/,access=ro,removable=no
channel=/dev/2.image.tar, mountpoint=/usr, access=ro, removable=yes, fsname=tar
[mapping]
channel=/dev/stdin,mode=char
channel=/dev/stdout,mode=pipe
channel=/dev/x,mode=file
[time]
seconds=1700000000
[debug]
verbosity=2
[precache]
precache=yes
`;
    expect(parseNvram(text)).toEqual({
      args: ['python', '-c', 'print(1)', 'a b', ','],
      env: { LANG: 'C', TEXT: 'a\nb"\\' },
      mounts: [
        { line: 8, channel: '/dev/1.image.tar', mountPoint: '/', access: 'ro' },
        { line: 9, channel: '/dev/2.image.tar', mountPoint: '/usr', access: 'ro' },
      ],
      fileTypes: new Map([
        ['/dev/stdin', 'char'],
        ['/dev/stdout', 'pipe'],
        ['/dev/x', 'file'],
      ]),
      startSeconds: 1_700_000_000,
      verbosity: 2,
      precache: true,
    });
  });

  test('may be empty', () => {
    expect(parseNvram('')).toEqual({
      env: {},
      mounts: [],
      fileTypes: new Map(),
      verbosity: 0,
      precache: false,
    });
  });

  test.each([
    ['[colours]', 'NVRAM 1: unknown section [colours]'],
    ['args = x', 'NVRAM 1: a record outside of any section'],
    ['[args]\ncolour = x', "NVRAM 2: unknown key 'colour'"],
    ['[env]\nname=A', 'NVRAM 2: no value'],
    ['[env]\nname=A\\x3dB,value=1', 'NVRAM 2: invalid name of a variable'],
    ['[env]\nname=A,value=1,2', "NVRAM 2: no key in '2'"],
    ['[fstab]\nchannel=/dev/x,mountpoint=/,access=rw', 'NVRAM 2: access rw is not supported, only ro and wo'],
    ['[fstab]\nchannel=/dev/x,mountpoint=/,access=ro,fsname=zip', 'NVRAM 2: fsname zip is not supported, only tar'],
    ['[fstab]\nchannel=/dev/x,mountpoint=usr,access=ro', 'NVRAM 2: mountpoint usr is not absolute'],
    ['[fstab]\nchannel=/dev/x,mountpoint=/,access=ro,removable=maybe', "NVRAM 2: 'maybe' is neither yes nor no"],
    ['[mapping]\nchannel=/dev/x,mode=block', "NVRAM 2: unknown mode 'block'"],
    ['[time]\nseconds=-1', "NVRAM 2: invalid numeric value '-1'"],
    ['[debug]\nverbosity=5', "NVRAM 2: invalid numeric value '5'"],
  ])('is refused where it says what is not known: %j', (text, state) => {
    expect(stateOf(text)).toBe(state);
  });

  test('comes back from the file as it was written, whatever the words', () => {
    // Blanks of ASCII are the syntax's, those of Unicode part of a word.
    const characters = Array.from('ab \t",\\#=\n\rxé\u{1f600}[]\v\u00a0\u2028\u3000\ufeff');
    const word = fc.string({ unit: fc.constantFrom(...characters, '\\x41') });
    const name = fc.string({ unit: fc.constantFrom(...characters.filter((one) => one !== '=')), minLength: 1 });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.dictionary(name, word), (args, env) => {
        const read = parseNvram(formatNvram({ args, env, mounts: [], mapping: [] }));
        expect(read.args).toEqual(args);
        expect(read.env).toEqual({ ...env });
      }),
    );
  });
});
