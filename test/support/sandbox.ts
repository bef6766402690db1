import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Channel,
  createSandbox,
  type Program,
  type Sandbox,
  type SandboxOptions,
  type Session,
  type SessionResult,
} from '@zerocloud/sandbox';
import loadWabt from 'wabt';
import { endOfArchive, member } from './tar-blocks';

export interface TestSandbox {
  sandbox: Sandbox;
  /** A temporary directory for the sandbox's `work` and the test's own files, on one file system. */
  directory: string;
  workDir: string;
  /** What the sandbox logged. */
  events: { message: string; [key: string]: unknown }[];
  /** Ends the sandbox and removes the directory. */
  close(): Promise<void>;
}

export async function startTestSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'sandbox-'));
  const workDir = path.join(directory, 'work');
  const events: TestSandbox['events'] = [];
  const remove = () => rm(directory, { recursive: true, force: true });
  const starting = createSandbox({
    workDir,
    maxSessions: 2,
    systemImages: [],
    inlineOutputBytes: 65_536,
    log: (event, message) => events.push({ ...event, message }),
    ...options,
  });
  starting.catch(remove);
  const sandbox = await starting;
  const close = async () => {
    await sandbox.close();
    await remove();
  };
  return { sandbox, directory, workDir, events, close };
}

/** Compiles text in wasm's own notation. */
export async function compileGuestText(text: string): Promise<Uint8Array> {
  const wabt = await loadWabt();
  const module = wabt.parseWat('guest.wat', text);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** Compiles one of `test/support/guests`. */
export async function compileGuest(name: string): Promise<Uint8Array> {
  return compileGuestText(await readFile(path.join(__dirname, 'guests', `${name}.wat`), 'utf8'));
}

const unlimited = 1_000_000_000;

export function inputChannel(data?: string | Uint8Array, changes: Partial<Channel> = {}): Channel {
  return {
    name: '/dev/stdin',
    type: 0,
    limits: { reads: unlimited, readBytes: 2 ** 40, writes: 0, writeBytes: 0 },
    fileType: 'pipe',
    etag: false,
    ...(data !== undefined && { source: { kind: 'bytes', data: Buffer.from(data) } }),
    ...changes,
  };
}

export function outputChannel(name = '/dev/stdout', changes: Partial<Channel> = {}): Channel {
  return {
    name,
    type: 0,
    limits: { reads: 0, readBytes: 0, writes: unlimited, writeBytes: 2 ** 40 },
    fileType: 'pipe',
    etag: false,
    ...changes,
  };
}

/** Standard input, holding this text or nothing, output and errors. */
export function standardChannels(stdin?: string): Channel[] {
  return [inputChannel(stdin), outputChannel(), outputChannel('/dev/stderr')];
}

/** A session of the three standard channels with generous limits. */
export function sessionOf(program: Program | Uint8Array, changes: Partial<Session> = {}): Session {
  return {
    tenant: 'tenant',
    program: 'kind' in program ? program : { kind: 'module', source: { kind: 'bytes', data: program } },
    args: ['program'],
    env: {},
    channels: standardChannels(),
    mounts: [],
    systemImages: [],
    timeoutMs: 10_000,
    memoryBytes: 64 * 1024 ** 2,
    ...changes,
  };
}

/** The interpreter of the system image `python`, and memory that is enough for it. */
export const pythonProgram = { kind: 'system-image' as const, image: 'python', path: 'python' };
export const pythonMemoryBytes = 256 * 1024 ** 2;

/** A session of Python with these arguments. */
export function pythonSession(args: string[], changes: Partial<Session> = {}): Session {
  return sessionOf(pythonProgram, { args: ['python', ...args], memoryBytes: pythonMemoryBytes, ...changes });
}

/** Files that a session finds in its root. */
export function mountsOf(files: Record<string, string>): Session['mounts'] {
  const data = Buffer.concat([...Object.entries(files).map(([name, text]) => member({ name }, text)), endOfArchive]);
  return [{ kind: 'tar', source: { kind: 'bytes', data }, mountPoint: '/' }];
}

export interface Outcome {
  state: string;
  exitCode: number;
  out: string;
  err: string;
}

/** How a session ended, and what it wrote to its standard channels. */
export async function outcomeOf(result: SessionResult): Promise<Outcome> {
  const { state, exitCode } = result.report;
  const [out, err] = [String(await takeOutput(result)), String(await takeOutput(result, '/dev/stderr'))];
  return { state, exitCode, out, err };
}

/** An output as bytes, wherever it is; a file is removed, as a receiver would. */
export async function takeOutput(result: SessionResult, name = '/dev/stdout'): Promise<Buffer> {
  const output = result.outputs.find((one) => one.name === name);
  if (!output) throw new Error(`no output ${name}`);
  if (output.body.kind === 'bytes') return Buffer.from(output.body.data);
  const content = await readFile(output.body.path);
  await rm(output.body.path);
  return content;
}

/** Files in slots, and outputs that nobody took. Those made ahead for outputs are empty, and do not count. */
export function filesLeftIn(workDir: string): string[] {
  const entries = readdirSync(workDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
  return files.filter((file) => {
    const inSlots = /^(slot-|outputs)/.test(path.relative(workDir, file));
    return inSlots && (lstatSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
  });
}

/** Processes started by this one, or another (Linux). */
export function childPids(pid: number = process.pid): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The processes below a process; an executor in a jail is a child of a child of a child. */
export function descendantPids(pid: number = process.pid): number[] {
  return childPids(pid).flatMap((child) => [child, ...descendantPids(child)]);
}

/** Sends a signal to the processes that are there yet: one may go with another, or by itself. */
export function signalAll(pids: Iterable<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** True unless the process is gone or a zombie. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
