import { type Sandbox, SandboxError, type SandboxErrorCode } from '@zerocloud/sandbox';
import { StorageError, type StorageErrorCode } from '../errors';
import type { FairSlots } from '../fair-slots';
import type { Staging } from '../staging';
import type { NodeResult, StorageNode } from '../storage-node';
import { type ObjectFiles, OpenedSources } from './opened-sources';
import { settleOutputs } from './outputs';
import { prepareSession } from './prepare';
import { checkOnlySession, validityMark } from './validation';

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
}: SessionRunnerOptions): Pick<StorageNode, 'runSession' | 'validateProgram'> {
  /** Nothing is opened before there is a place to run, so those that wait hold no files. */
  async function inSlot<T>(
    account: string,
    signal: AbortSignal | undefined,
    run: (sources: OpenedSources) => Promise<T>,
  ): Promise<T> {
    const waiting = slots?.acquire(account, signal);
    if (waiting !== undefined) await waiting;
    const sources = new OpenedSources(store, staging, signal);
    try {
      return await run(sources);
    } catch (error) {
      throw toStorageError(error);
    } finally {
      sources.close();
      slots?.release(account);
    }
  }

  return {
    async runSession(request, { signal } = {}): Promise<NodeResult> {
      let isFoundValid = false;
      const { report, outputs } = await inSlot(request.account, signal, async (sources) => {
        const session = await prepareSession(request, sources, store);
        isFoundValid = sources.isProgramFoundValid;
        signal?.throwIfAborted();
        return sandbox.run(session, { signal });
      });
      const wanted = new Set(request.channels.flatMap(({ device, etag }) => (etag ? [`/dev/${device}`] : [])));
      const etags = report.etags.filter(({ name }) => wanted.has(name));
      if (request.prevalidated && isFoundValid && report.validation === 0) report.validation = 2;
      return { report: { ...report, etags }, outputs: await settleOutputs(request, outputs, store) };
    },

    validateProgram(path, options): Promise<boolean> {
      return inSlot(path.account, undefined, async (sources) => {
        const { bodyId, maxProgramBytes } = options;
        const program = await sources.open({ kind: 'object', path }, { local: false, maxListingBytes: 0 });
        if (program.record?.bodyId !== bodyId || program.sizeBytes > maxProgramBytes) return false;
        const { report } = await sandbox.run(checkOnlySession(path.account, program, options));
        if (report.validation !== 0 || report.code !== 0) return false;
        return store.markObject(path, bodyId, validityMark(bodyId));
      });
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
