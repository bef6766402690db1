import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startServer, type TestServer } from '../support/server';

/** A server, and a directory in which clients are used. */
export interface Workplace {
  server: TestServer;
  directory: string;
  /** Runs a command of a client to its end; rejects with all it said unless it succeeds. Resolves with its output. */
  run(command: string, ...args: string[]): Promise<string>;
  /** Writes a file of so many random bytes, and returns their md5. */
  writeRandom(name: string, sizeBytes: number): string;
  md5(name: string): string;
  close(): Promise<void>;
}

export async function openWorkplace(env: Record<string, string> = {}): Promise<Workplace> {
  const server = await startServer();
  const directory = await mkdtemp(path.join(os.tmpdir(), 'clients-'));
  const inDirectory = (name: string) => path.join(directory, name);
  return {
    server,
    directory,
    async run(command, ...args) {
      const child = spawn(command, args, {
        cwd: directory,
        // Nothing of the machine's own: no configuration, no proxy.
        env: { PATH: process.env.PATH, HOME: directory, LC_ALL: 'C.UTF-8', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = { stdout: '', stderr: '' };
      child.stdout.on('data', (chunk: Buffer) => {
        said.stdout += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        said.stderr += chunk.toString();
      });
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${said.stdout}${said.stderr}`);
      return said.stdout;
    },
    writeRandom(name, sizeBytes) {
      const bytes = randomBytes(sizeBytes);
      mkdirSync(path.dirname(inDirectory(name)), { recursive: true });
      writeFileSync(inDirectory(name), bytes);
      return createHash('md5').update(bytes).digest('hex');
    },
    md5: (name) =>
      createHash('md5')
        .update(readFileSync(inDirectory(name)))
        .digest('hex'),
    async close() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The md5 of every file below a directory, by its name. */
export function md5sBelow(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  return Object.fromEntries(
    files
      .sort()
      .map((file) => [path.relative(directory, file), createHash('md5').update(readFileSync(file)).digest('hex')]),
  );
}

export const mebibyte = 1024 ** 2;
