import { type Sandbox, SandboxError, type SandboxErrorCode, type SessionResult } from '@zerocloud/sandbox';
import { StorageError, type StorageErrorCode } from '../errors';
import type { FairSlots } from '../fair-slots';
import type { Staging } from '../staging';
import type { NodeResult, NodeSession, StorageNode } from '../storage-node';
import { type ObjectFiles, OpenedSources } from './opened-sources';
import { settleOutputs } from './outputs';
import { prepareSession } from './prepare';

export interface SessionRunnerOptions {
  store: ObjectFiles;
  sandbox: Sandbox;
  staging: Staging;
  /** Who runs next; absent: the sandbox's own order. */
  slots?: FairSlots;
}

/** Joins stored objects to the sandbox: `runSession` of a storage node that holds its store and sandbox itself. */
export function createSessionRunner({
  store,
  sandbox,
  staging,
  slots,
}: SessionRunnerOptions): Pick<StorageNode, 'runSession'> {
  /** Nothing is opened before there is a place to run, so those that wait hold no files. */
  async function runInSlot(request: NodeSession, signal: AbortSignal | undefined): Promise<SessionResult> {
    if (!slots) return runSandbox(request, signal);
    const waiting = slots.acquire(request.account, signal);
    if (waiting !== undefined) await waiting;
    try {
      return await runSandbox(request, signal);
    } finally {
      slots.release(request.account);
    }
  }

  async function runSandbox(request: NodeSession, signal: AbortSignal | undefined): Promise<SessionResult> {
    const sources = new OpenedSources(store, staging, signal);
    try {
      const session = await prepareSession(request, sources, store);
      signal?.throwIfAborted();
      return await sandbox.run(session, { signal });
    } catch (error) {
      throw toStorageError(error);
    } finally {
      sources.close();
    }
  }

  return {
    async runSession(request, { signal } = {}): Promise<NodeResult> {
      const { report, outputs } = await runInSlot(request, signal);
      const wanted = new Set(request.channels.flatMap(({ device, etag }) => (etag ? [`/dev/${device}`] : [])));
      const etags = report.etags.filter(({ name }) => wanted.has(name));
      return { report: { ...report, etags }, outputs: await settleOutputs(request, outputs, store) };
    },
  };
}

/** Codes that are not here come from a sandbox that does not work, not from a session. */
const codes: Partial<Record<SandboxErrorCode, [code: StorageErrorCode, sentence?: string]>> = {
  'system-image-not-found': ['systemImageNotFound'],
  'program-not-found': ['programNotFound', 'No executable found in request'],
  'bad-image': ['badArchive'],
  'image-too-large': ['inputTooLarge'],
  'source-not-found': ['sessionFailed', 'An input of the session was lost'],
  closed: ['unavailable', 'The server is stopping'],
  'executor-failed': ['sessionFailed'],
};

/** Works for errors of another module instance too, unlike `instanceof`. */
function toStorageError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== SandboxError.name) return error;
  const [code, sentence] = codes[(error as SandboxError).code] ?? ['unavailable'];
  return new StorageError(code, sentence ?? error.message, { cause: error });
}
