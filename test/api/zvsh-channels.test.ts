import { open } from 'node:fs/promises';
import path from 'node:path';
import { openWorkplace, type Workplace } from './zvsh-support';

/** Every kind of channel, opened in every mode that programs have. */

let here: Workplace;

beforeAll(async () => {
  here = await openWorkplace();
  await here.write(
    'modes.py',
    `import errno, sys
for name in sys.argv[1:]:
    answers = []
    for mode in ['rb', 'wb', 'ab', 'xb', 'r+b', 'w+b', 'a+b', 'wt']:
        try:
            with open(name, mode, buffering=1 if 't' in mode else 0) as file:
                if 'r+' not in mode and 'r' not in mode: file.write('0\\n' if 't' in mode else b'0\\n')
                answers.append('ok')
        except OSError as error:
            answers.append(errno.errorcode.get(error.errno, str(error)))
    print(name, *answers, file=sys.stderr)
`,
  );
  await here.type(
    'zvsh --zvm-save-dir . --zvm-image python python @modes.py; mkfifo in.fifo out.fifo; echo text > text',
  );
  await here.type(`sed -i "s|$PWD/stdout.1|/dev/null|; s|$PWD/stderr.1|/dev/stderr|" manifest.1`);
});

afterAll(() => here.close());

const at = (name: string) => path.join(here.directory, name);
const readOnly = '1000,1000,0,0';
const writeOnly = '0,0,1000,1000';
const both = '1000,1000,1000,1000';

const reading = 'ok EACCES EACCES EEXIST EACCES EACCES EACCES EACCES';
const writing = 'EACCES ok ok EEXIST EACCES EACCES EACCES ok';
const anything = 'ok ok ok EEXIST ok ok ok ok';
// What is behind the guest's back cannot be cut.
const appending = 'ok EPERM ok EEXIST ok EPERM ok EPERM';
// A sequential file can be opened with "w" as long as nothing is in it.
const writingOnce = 'EACCES ok ok EEXIST EACCES EACCES EACCES EPERM';

/** Runs the saved session with one more channel, whose answers it tells; `wrap` is a command that runs the session. */
async function modesOf(file: string, type: number, limits: string, wrap = (command: string) => command) {
  await here.type(`sed -e '/\\/dev\\/channel/d' manifest.1 > m; echo "Channel = ${file},/dev/channel,${type},0,${limits}" >> m
    sed -i 's|^args = .*|args = python /dev/1.modes.py /dev/channel|' nvram.1`);
  const { stderr, stdout } = await here.type(`${wrap('zerovm -t 2 m')} < /dev/null`);
  const told = (stderr + stdout).replaceAll(/zerovm: [^\r\n]*\r\x1b\[K/g, '');
  return told.replaceAll('\r', '').replaceAll(/^0\n/gm, '').trimEnd();
}

test.each([
  ['a file that is read in order', 'text', 0, readOnly, reading],
  ['a file that is read at random', 'text', 3, readOnly, reading],
  ['a file that is written in order', 'written', 0, writeOnly, writingOnce],
  ['a file that is written at random', 'written', 3, writeOnly, writing],
  ['a file that is appended to', 'text', 1, both, appending],
  ['a file that is read and written', 'text', 3, both, anything],
  ['a device that is read', '/dev/zero', 0, readOnly, reading],
  ['a device that is written', '/dev/null', 0, writeOnly, writing],
  ['a device that is written, said to be random', '/dev/null', 3, writeOnly, writing],
  ['our standard input', '/dev/stdin', 0, readOnly, reading],
  ['our standard output', '/dev/stdout', 0, writeOnly, writing],
  ['our standard error', '/dev/stderr', 3, writeOnly, writing],
])('%s', async (_, file, type, limits, answers) => {
  expect(await modesOf(path.resolve(here.directory, file), type, limits)).toBe(`/dev/channel ${answers}`);
});

test.each([
  ['read', 'in.fifo', readOnly, reading],
  ['written', 'out.fifo', writeOnly, writing],
])('a FIFO that is %s', async (_, name, limits, answers) => {
  // Somebody is at its other end.
  const end = await open(at(name), 'r+');
  expect(await modesOf(at(name), 0, limits)).toBe(`/dev/channel ${answers}`);
  await end.close();
});

describe('a terminal', () => {
  const inTerminal = (command: string) => `script -qec "sed -i s:TERMINAL:\\$(tty): m; ${command}" /dev/null`;

  test.each([
    ['read', 0, readOnly, reading],
    ['written', 0, writeOnly, writing],
    ['written, said to be random', 3, writeOnly, writing],
  ] as const)('that is %s', async (_, type, limits, answers) => {
    expect(await modesOf('TERMINAL', type, limits, inTerminal)).toBe(`/dev/channel ${answers}`);
  });
});

test('what is written to a FIFO opened with "w" arrives', async () => {
  await here.write('say.py', 'with open("/dev/channel", "w") as file: print("said", file=file)');
  await here.type('sed -i s:modes.py:say.py: manifest.1 nvram.1');
  const end = await open(at('out.fifo'), 'r+');
  expect(await modesOf(at('out.fifo'), 0, writeOnly, (c) => `sed -i 's| /dev/channel$||' nvram.1; ${c}`)).toBe('');
  const { buffer, bytesRead } = await end.read(Buffer.alloc(100), 0, 100);
  expect(buffer.toString('utf8', 0, bytesRead)).toBe('said\n');
  await end.close();
});
