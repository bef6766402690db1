import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import { lineFd } from '../executor/protocol';
import { Slot } from '../executor/slot';
import type { JailForm } from './forms';
import { type JailMeans, meansOf } from './forms';
import { createJail, type JailHost, killJailed } from './jail';
import type { SlotUser } from './slot-user';

/** What the probe is told, as JSON in its arguments. */
export interface ProbeRequest {
  means: JailMeans;
  /** A granted file, and what is in it. */
  input: string;
  content: string;
  output: string;
  /** A file that no executor has any business with. */
  canary: string;
  serverPid: number;
  user?: SlotUser;
  fileBytes: number;
}

const probeTimeoutMs = 10_000;
const stderrBytes = 500;
const content = 'probe';

/**
 * Starts a process in a form of confinement, in a slot of its own, and has it try what the form promises to stop.
 * Resolves with one sentence on why the form cannot be used here, or undefined when it holds.
 */
export async function probeJail(form: JailForm, host: JailHost, workDir: string): Promise<string | undefined> {
  const means = meansOf(form, host.isRoot);
  const jail = createJail(form, host);
  const directory = path.join(workDir, 'probe');
  const canary = path.join(directory, 'canary');
  const user = jail.slotUser(0);
  const slot = new Slot(path.join(directory, 'slot'), directory, user);
  try {
    await mkdir(directory, { recursive: true });
    await writeFile(canary, content, { mode: 0o644 });
    slot.createSync();
    const input = await slot.link(canary, 'input');
    const output = slot.reserve('output');
    const request: ProbeRequest = {
      means,
      input,
      content,
      output,
      canary,
      serverPid: process.pid,
      user,
      fileBytes: host.limits.fileBytes,
    };
    const child = jail.spawn(
      {
        entry: path.join(__dirname, 'probe-entry.js'),
        args: [JSON.stringify(request)],
        nodeFlags: [],
        readable: [],
        inDirectory: slot.inDirectory,
        outDirectory: slot.outDirectory,
        user,
        // Let through here, so that it is the kernel that has to stop them.
        permissions: { readable: [canary], writable: [slot.inDirectory] },
      },
      [],
    );
    return await hear(child);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function hear(child: ReturnType<ReturnType<typeof createJail>['spawn']>): Promise<string | undefined> {
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(0, stderrBytes);
  });
  let answer = '';
  (child.stdio[lineFd] as Duplex).on('data', (chunk: Buffer) => {
    answer += chunk.toString();
  });
  const closed = once(child, 'close');
  const timer = setTimeout(() => killJailed(child), probeTimeoutMs);
  try {
    await closed;
  } finally {
    clearTimeout(timer);
  }
  if (answer === '') return `a process cannot be started in it: ${firstLine(stderr)}`;
  const failures = JSON.parse(answer) as string[];
  return failures.length === 0 ? undefined : `a process in it ${failures.join(', ')}`;
}

/** The first line that says something. */
function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? 'it said nothing';
}
