import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';

export const root = path.join(__dirname, '../..');
export const proxyMain = 'packages/proxy/dist/main.js';
export const objectServerMain = 'packages/object-server/dist/main.js';

export interface ServerProcess {
  child: ChildProcess;
  /** Exit status and everything printed, once it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  /** The URL of its line `listening on …`; rejects if it ends before. */
  url(): Promise<string>;
}

/** What was started, with what SIGKILL goes to: a process, or a group (negative). */
const started = new Map<ChildProcess, number>();

/** Starts one of our programs with nothing but the given settings in its environment. */
export function startProcess(script: string, env: Record<string, string> = {}, args: string[] = []): ServerProcess {
  return watch(
    spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** Starts a script of package.json as people do, by npm, in a process group of its own. */
export function startScript(name: string, env: Record<string, string> = {}): ServerProcess {
  return watch(
    spawn('npm', ['run', '--silent', name], {
      cwd: root,
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
    true,
  );
}

function environment(env: Record<string, string>): Record<string, string | undefined> {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, ...env };
}

function watch(child: ChildProcessByStdio<null, Readable, Readable>, isGroup = false): ServerProcess {
  if (child.pid) started.set(child, isGroup ? -child.pid : child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    started.delete(child);
    return { code, signal, stdout, stderr };
  });
  const url = async () => {
    for (;;) {
      const match = /^listening on (http:\S+)\n/m.exec(stdout);
      if (match) return match[1]!;
      await Promise.race([once(child.stdout, 'data'), ended]);
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`it ended before it listened: ${stderr}`);
      }
    }
  };
  return { child, ended, stdout: () => stdout, stderr: () => stderr, url };
}

/** Kills what a failed test left running; for `afterEach`. */
export async function killStartedProcesses(): Promise<void> {
  for (const [child, target] of started) {
    try {
      process.kill(target, 'SIGKILL');
    } catch {
      // It has ended by itself, and nobody has told us yet.
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  started.clear();
}

/** A directory for each test of a suite; behind the test, what it started is killed and the directory gone. */
export function useDataDir(): () => string {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-process-'));
  });
  afterEach(async () => {
    await killStartedProcesses();
    await rm(dataDir, { recursive: true, force: true });
  });
  return () => dataDir;
}

/** A client of one server with the token of one user, over `fetch`. */
export async function logIn(
  url: string,
  user = 'test:tester',
  key = 'testing',
): Promise<{ token: string; request(path: string, init?: RequestInit): Promise<Response> }> {
  const answer = await fetch(`${url}/auth/v1.0`, { headers: { 'x-auth-user': user, 'x-auth-key': key } });
  const token = answer.headers.get('x-auth-token');
  if (!token) throw new Error(`${user} cannot log in: ${answer.status}`);
  const request = (target: string, init: RequestInit = {}) =>
    fetch(`${url}/v1/AUTH_${user.split(':')[0]}${target}`, {
      ...init,
      headers: { 'x-auth-token': token, ...(init.headers as Record<string, string>) },
    });
  return { token, request };
}
