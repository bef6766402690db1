import {
  isStorageError,
  type NodeResult,
  type NodeSession,
  type StorageErrorCode,
  type StorageNode,
} from '@zerocloud/object-server';
import type { DeniedOutput } from './authorise';
import { nodeNotRun } from './errors';
import { lostOutcome, type NodeOutcome, outcomeOf } from './outcome';
import type { PlannedNode } from './plan';
import { type Job, nodeSession } from './session';

export interface RunContext {
  node: Pick<StorageNode, 'runSession'>;
  job: Job;
  denied: ReadonlyMap<PlannedNode, DeniedOutput>;
  /** Sessions asked for at once; more would only wait on the storage node, with their inputs open. */
  width: number;
  signal: AbortSignal;
  /** Replaces the symlinks that a session reads by what they stand for. */
  followLinks?(session: NodeSession): Promise<NodeSession>;
  /** A node is handed to its storage node. */
  onStart?(index: number): void;
}

/**
 * Runs the nodes, in order of the plan as far as there is room, and hands every outcome to `onOutcome` as it comes.
 * A node that cannot be started ends the job: the others are stopped, and the error is thrown when all are still.
 */
export async function runNodes(
  nodes: PlannedNode[],
  context: RunContext,
  onOutcome: (outcome: NodeOutcome, index: number) => void | Promise<void>,
): Promise<void> {
  if (nodes.length === 1) {
    context.onStart?.(0);
    return onOutcome(await runNode(nodes[0]!, context, context.signal), 0);
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async () => {
    while (next < nodes.length && !failure) {
      const index = next++;
      context.onStart?.(index);
      try {
        await onOutcome(await runNode(nodes[index]!, context, signal), index);
      } catch (error) {
        failure ??= { error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(context.width, nodes.length) }, worker));
  if (failure) throw (failure as { error: unknown }).error;
}

async function runNode(node: PlannedNode, context: RunContext, signal: AbortSignal): Promise<NodeOutcome> {
  const denied = context.denied.get(node);
  const session: NodeSession = nodeSession(node, context.job, denied);
  let result: NodeResult;
  try {
    result = await runFollowing(session, context, signal);
  } catch (error) {
    if (isStorageError(error, 'sessionFailed')) return lostOutcome(node, error);
    if (isStorageError(error))
      throw nodeNotRun(node.name, statuses[error.code] ?? 500, sentences[error.code] ?? error.message, error);
    throw error;
  }
  return outcomeOf(node, result, denied);
}

async function runFollowing(session: NodeSession, context: RunContext, signal: AbortSignal): Promise<NodeResult> {
  try {
    return await context.node.runSession(session, { signal });
  } catch (error) {
    if (!context.followLinks || !isStorageError(error, 'objectIsLink')) throw error;
    return context.node.runSession(await context.followLinks(session), { signal });
  }
}

/** What a node's refusal to start a session means to the client. */
const statuses: Partial<Record<StorageErrorCode, number>> = {
  objectNotFound: 404,
  containerNotFound: 404,
  accountNotFound: 404,
  accountDeleted: 410,
  programNotFound: 400,
  systemImageNotFound: 400,
  channelWithoutData: 400,
  programTooLarge: 413,
  inputTooLarge: 413,
  objectIsLink: 409,
  objectTooLarge: 413,
  badArchive: 422,
  noSlot: 503,
  unavailable: 503,
  insufficientStorage: 507,
};

const sentences: Partial<Record<StorageErrorCode, string>> = {
  noSlot: 'Slot not available',
  objectTooLarge: 'RPC request too large',
};
