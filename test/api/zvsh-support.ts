import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { compileGuest, compileGuestText } from '../support/sandbox';

const packages = path.join(__dirname, '../../packages');

/** The commands and the packages they are in. */
const commands = { zvsh: 'sandbox', zerovm: 'sandbox', zvapp: 'proxy' } as const;

type Command = keyof typeof commands;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A directory with nothing of ours but the commands on its PATH, where sessions are typed. */
export interface Workplace {
  directory: string;
  /** Writes a file of the directory, or below it, and returns its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** Writes a compiled guest of `test/support/guests`, or one in wasm's text form. */
  writeGuest(name: string, text?: string): Promise<string>;
  /** Starts a command of ours; its input and output are pipes. */
  start(command: Command, args: string[], env?: Record<string, string>): ChildProcess;
  /** Runs one to its end. */
  run(command: Command, args: string[], options?: { input?: string; env?: Record<string, string> }): Promise<Ended>;
  /** Runs a script as somebody would type it. */
  type(script: string, env?: Record<string, string>): Promise<Ended>;
  close(): Promise<void>;
}

export async function openWorkplace(): Promise<Workplace> {
  const top = await mkdtemp(path.join(os.tmpdir(), 'zvsh-test-'));
  const directory = path.join(top, 'here');
  const bin = path.join(top, 'bin');
  await Promise.all([mkdir(directory), mkdir(bin), mkdir(path.join(top, 'tmp'))]);
  for (const [name, owner] of Object.entries(commands)) {
    await symlink(path.join(packages, owner, 'bin', `${name}.js`), path.join(bin, name));
  }
  await symlink(process.execPath, path.join(bin, 'node'));
  const started = new Set<ChildProcess>();
  const launch = (file: string, args: string[], env: Record<string, string> = {}): ChildProcess => {
    const child = spawn(file, args, {
      cwd: directory,
      env: {
        PATH: `${bin}:${process.env.PATH}`,
        HOME: directory,
        TMPDIR: path.join(top, 'tmp'),
        XDG_CACHE_HOME: path.join(top, 'cache'),
        ...env,
      },
    });
    started.add(child);
    child.once('close', () => started.delete(child));
    return child;
  };
  const write = async (name: string, content: string | Uint8Array) => {
    const file = path.join(directory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  };
  return {
    directory,
    write,
    start: launch,
    async writeGuest(name, text) {
      const file = await write(name, text === undefined ? await compileGuest(name) : await compileGuestText(text));
      await chmod(file, 0o755);
      return file;
    },
    run: (command, args, { input = '', env } = {}) => {
      const child = launch(command, args, env);
      child.stdin!.on('error', () => undefined);
      child.stdin!.end(input);
      return ended(child);
    },
    type: (script, env) => ended(launch('bash', ['-e', '-c', script], env)),
    async close() {
      for (const child of started) {
        child.kill('SIGKILL');
        await once(child, 'close');
      }
      await rm(top, { recursive: true, force: true });
    },
  };
}

/** How a process ended and what it said. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout!.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  const text = (parts: Buffer[]) => Buffer.concat(parts).toString('latin1');
  return { code, signal, stdout: text(chunks.stdout), stderr: text(chunks.stderr) };
}

/** The next bytes of a stream, as text. */
export async function nextText(stream: NodeJS.ReadableStream): Promise<string> {
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return String(chunk);
}
