import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SandboxError } from '../errors';
import { ExecutorProcess } from '../executor/executor-process';
import { Slot } from '../executor/slot';
import { chooseJail, findMissing } from '../jail/choose';
import { formsToTry, type JailForm, type JailMode } from '../jail/forms';
import { createJail, inspectHost, type Jail } from '../jail/jail';
import { defaultMaxMemoryBytes, executorMemoryBytes } from '../limits';
import { SessionError, sessionCode } from '../manifest/session-error';
import type { Session, SessionResult } from '../session';

/** One executor process for this command's session, with the command's open files as its descriptors 5, 6, … */
export interface PrivateExecutor {
  /** How it is confined. */
  readonly jail: JailForm;
  run(session: Session, signal?: AbortSignal): Promise<SessionResult>;
  /** Ends the process and removes what it had on disk. */
  close(): Promise<void>;
}

export interface PrivateExecutorOptions {
  inheritedFds: readonly number[];
  jail: JailMode;
  /** The host failed in a session. */
  onFault(fault: string): void;
}

/** Files are bounded by their channels; the kernel's bound is out of the way. */
const limits = { fileBytes: 2 ** 50, dataBytes: defaultMaxMemoryBytes + executorMemoryBytes };

/** An executor may have 4096 files open; some of them are its own. */
const maxInheritedFds = 4000;

/** Rejects with `SandboxError` if the process does not come up, or not in the jail that is required; `SessionError` beyond 4000 files. */
export async function startPrivateExecutor(options: PrivateExecutorOptions): Promise<PrivateExecutor> {
  if (options.inheritedFds.length > maxInheritedFds) {
    throw new SessionError('channels number reached maximum', sessionCode.tooManyChannels);
  }
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zerovm-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    // The slot's user, if it has one, must get through to it.
    chmodSync(directory, 0o711);
    const { executor, jail } = await startInStrongest(options, directory);
    let nextSession = 1;
    return {
      jail,
      run: (session, signal) => executor.run(nextSession++, session, signal),
      close: async () => {
        await executor.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

interface StartedExecutor {
  executor: ExecutorProcess;
  jail: JailForm;
}

/**
 * The server tries a form of confinement before it trusts it with many sessions. Here the executor itself is the trial,
 * which takes half the time: the first form that it comes up in is the one.
 */
async function startInStrongest(options: PrivateExecutorOptions, directory: string): Promise<StartedExecutor> {
  if (options.jail !== 'auto') {
    return startExecutor(options, directory, await chooseJail({ mode: options.jail, workDir: directory, limits }));
  }
  const host = await inspectHost(limits);
  let failure: unknown;
  for (const form of formsToTry(host.isRoot)) {
    if (findMissing(form, host) !== undefined) continue;
    try {
      return await startExecutor(options, directory, createJail(form, host));
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function startExecutor(
  { inheritedFds, onFault }: PrivateExecutorOptions,
  directory: string,
  jail: Jail,
): Promise<StartedExecutor> {
  const slot = new Slot(path.join(directory, `slot-${jail.form}`), directory, jail.slotUser(process.pid));
  slot.createSync();
  return new Promise((resolve, reject) => {
    const executor = new ExecutorProcess(
      slot,
      { systemImages: [], inlineOutputBytes: 0 },
      {
        onReady: (ready) => resolve({ executor: ready, jail: jail.form }),
        onFault: (_, fault) => onFault(fault),
        onExit: (_, { cause, stderr }) => {
          reject(new SandboxError('executor-failed', `the sandbox cannot be started: ${stderr || cause}`));
        },
      },
      { jail, inheritedFds },
    );
    executor.tenant = 'local';
  });
}
