import type { Sandbox, StopSignal } from '@zerocloud/sandbox';
import type { FairSlots } from '../fair-slots';
import type { Staging } from '../staging';
import type { NodeResult, StorageNode } from '../storage-node';
import { type ObjectFiles, OpenedSources } from './opened-sources';
import { settleOutputs } from './outputs';
import { prepareSession } from './prepare';
import { reportOf, toStorageError } from './report';
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
    signal: StopSignal | undefined,
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
      let known!: OpenedSources;
      const { report, outputs } = await inSlot(request.account, signal, async (sources) => {
        const session = await prepareSession(request, sources, store);
        known = sources;
        signal?.throwIfAborted();
        return sandbox.run(session, { signal });
      });
      const shown = reportOf(report, request, known);
      return { report: shown, outputs: await settleOutputs(request, outputs, store, staging) };
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
