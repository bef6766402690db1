import type { Pipe, Sandbox, Session } from '@zerocloud/sandbox';
import { isStorageError } from '../errors';
import type { FairSlots } from '../fair-slots';
import type { Staging } from '../staging';
import type { NodeGroup, NodeOutput, NodePipeEnd, NodeResult, NodeSession, StorageNode } from '../storage-node';
import { type ObjectFiles, OpenedSources } from './opened-sources';
import { dropOutputs, dropSettled, settleOutputs } from './outputs';
import { prepareSession } from './prepare';
import { reportOf, toStorageError } from './report';

export interface GroupRunnerOptions {
  store: ObjectFiles;
  sandbox: Sandbox;
  staging: Staging;
  /** Places for the sessions of groups; absent: the sandbox's own order. */
  slots?: FairSlots;
}

/** Joins stored objects to groups of the sandbox: `runGroup` of a storage node that holds its store and sandbox itself. */
export function createGroupRunner(options: GroupRunnerOptions): StorageNode['runGroup'] {
  const { store, sandbox, staging, slots } = options;
  return async (group, { signal } = {}) => {
    const { sessions } = group;
    const { account } = sessions[0]!;
    // Nothing is opened before there is a place to run, so those that wait hold no files.
    const waiting = slots?.acquire(account, signal, sessions.length);
    if (waiting !== undefined) await waiting;
    const opened = sessions.map(() => new OpenedSources(store, staging, signal));
    let results: Awaited<ReturnType<Sandbox['runGroup']>>;
    try {
      const prepared = await prepareAll(sessions, opened, store);
      signal?.throwIfAborted();
      results = await sandbox.runGroup(prepared, group.pipes.map(toPipe), { signal });
    } catch (error) {
      throw toStorageError(error);
    } finally {
      for (const sources of opened) sources.close();
      slots?.release(account, sessions.length);
    }
    const reports = results.map(({ report }, index) => {
      return reportOf(report, sessions[index]!, opened[index]!);
    });
    const outputs = await settleAll(
      group,
      results.map((result) => result.outputs),
    );
    return reports.map((report, index): NodeResult => ({ report, outputs: outputs[index]! }));
  };

  /** Node by node: what one could not store for a failure of the host ends the rest of them. */
  async function settleAll(
    { sessions, pipes }: NodeGroup,
    outputs: Awaited<ReturnType<Sandbox['run']>>['outputs'][],
  ): Promise<NodeOutput[][]> {
    const piped = sessions.map(() => new Set<string>());
    for (const { from } of pipes) piped[from.session]!.add(`/dev/${from.device}`);
    const settled: NodeOutput[][] = [];
    try {
      for (const [index, session] of sessions.entries()) {
        const own = outputs[index]!.filter(({ name }) => !piped[index]!.has(name));
        settled.push(await settleOutputs(session, own, store, staging));
      }
      return settled;
    } catch (error) {
      for (const some of settled) await dropSettled(some, staging);
      for (const some of outputs.slice(settled.length + 1)) await dropOutputs(some);
      throw error;
    }
  }
}

/** All must have settled before anything is closed, or a late one would stay open for ever. */
async function prepareAll(
  sessions: readonly NodeSession[],
  opened: readonly OpenedSources[],
  store: ObjectFiles,
): Promise<Session[]> {
  const settled = await Promise.allSettled(sessions.map((one, index) => prepareSession(one, opened[index]!, store)));
  return settled.map((result, index) => {
    if (result.status === 'fulfilled') return result.value;
    if (isStorageError(result.reason)) result.reason.session = index;
    throw result.reason;
  });
}

function toPipe({ from, to }: { from: NodePipeEnd; to: NodePipeEnd }): Pipe {
  return {
    from: { session: from.session, channel: `/dev/${from.device}` },
    to: { session: to.session, channel: `/dev/${to.device}` },
  };
}
