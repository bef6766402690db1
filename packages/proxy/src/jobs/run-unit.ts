import { isStorageError, type NodeGroup, type NodeResult, type NodeSession } from '@zerocloud/object-server';
import { lostOutcome, type NodeOutcome, outcomeOf } from './outcome';
import { refusedNode } from './refusal';
import type { RunContext } from './run';
import { type NodeEnds, nodeSession } from './session';
import type { Spills } from './spills';
import type { Unit } from './topology';

/** Runs the nodes of a unit at the same time; their outcomes in the same order. `spills`: absent when it is the only unit. */
export async function runUnit(unit: Unit, context: RunContext, spills: Spills | undefined): Promise<NodeOutcome[]> {
  const { nodes } = unit;
  const { job, denied } = context;
  const ends = spills || nodes.length > 1 ? endsOf(unit, spills) : undefined;
  const sessions = nodes.map((node, index) => nodeSession(node, job, denied.get(node), ends?.[index]));
  for (const node of nodes) context.onStart?.(node);
  let results: NodeResult[];
  try {
    results = await runFollowing({ sessions, pipes: pipesOf(unit) }, context);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (error.code === 'sessionFailed') {
      if (spills) holdSpills(unit, undefined, spills);
      return nodes.map((node) => lostOutcome(node, error));
    }
    throw refusedNode(nodes[error.session ?? 0]!.name, error);
  }
  if (spills) holdSpills(unit, results, spills);
  return nodes.map((node, index) => outcomeOf(node, results[index]!, denied.get(node)));
}

async function runFollowing(group: NodeGroup, context: RunContext): Promise<NodeResult[]> {
  try {
    return await run(group, context);
  } catch (error) {
    const isOther = isStorageError(error, 'objectIsLink') || isStorageError(error, 'objectIsManifest');
    if (!context.followLinks || !isOther) throw error;
    const staged: string[] = [];
    try {
      const sessions: NodeSession[] = [];
      for (const session of group.sessions) sessions.push(await context.followLinks(session, staged));
      return await run({ ...group, sessions }, context);
    } finally {
      // A body that cannot be released now is dropped by its node later; the session has run.
      for (const id of staged) await context.node.releaseBody(id).catch(() => undefined);
    }
  }
}

async function run(group: NodeGroup, { node, signal }: RunContext): Promise<NodeResult[]> {
  const [session] = group.sessions;
  return group.sessions.length === 1 ? [await node.runSession(session!, { signal })] : node.runGroup(group, { signal });
}

/** By node: its ends of connections, within the unit and to other ones. */
function endsOf({ nodes, pipes, incoming, outgoing }: Unit, spills: Spills | undefined): NodeEnds[] {
  const ends = new Map(nodes.map((node): [typeof node, NodeEnds] => [node, { inputs: [], outputs: [] }]));
  for (const { from, output, to, input, fileType } of pipes) {
    ends.get(from)!.outputs.push({ device: output, fileType });
    ends.get(to)!.inputs.push({ device: input });
  }
  for (const connection of incoming) {
    const spilled = { stagedId: spills!.findId(connection) };
    ends.get(connection.to)!.inputs.push({ device: connection.input, spilled });
  }
  for (const connection of outgoing) {
    const { from, output, fileType } = connection;
    ends.get(from)!.outputs.push({ device: output, fileType, spillBytes: spills!.sizeOf(connection) });
  }
  return [...ends.values()];
}

function pipesOf({ nodes, pipes }: Unit): NodeGroup['pipes'] {
  const indexOf = new Map(nodes.map((node, index) => [node, index]));
  return pipes.map(({ from, output, to, input }) => ({
    from: { session: indexOf.get(from)!, device: output },
    to: { session: indexOf.get(to)!, device: input },
  }));
}

/** `results`: undefined if the nodes were lost. */
function holdSpills({ nodes, outgoing }: Unit, results: readonly NodeResult[] | undefined, spills: Spills): void {
  for (const connection of outgoing) {
    const result = results?.[nodes.indexOf(connection.from)];
    spills.hold(
      connection,
      result?.outputs.find(({ device }) => device === connection.output),
    );
  }
}
