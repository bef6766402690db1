import type { ObjectPath } from '@zerocloud/object-server';
import type { Deps } from '../context';
import type { OutputRooms } from '../quotas/output-rooms';
import { nodeNotRun } from './errors';
import type { PlannedNode } from './plan';
import type { Rights } from './rights';
import { pathText } from './urls';

/** An output the caller may not write: the program runs, and from this device on nothing of the node is kept. */
export interface DeniedOutput {
  device: number;
  status: number;
  path: ObjectPath;
}

/**
 * Checks every object of the job with the caller's rights: programs, inputs and local outputs refuse the job before
 * anything runs, other outputs only themselves, after their program ran; so do quotas that are used up. In jobs of
 * several nodes, what is named without wildcard must also exist, so that no node runs for a job that must fail.
 */
export async function authoriseNodes(
  rights: Rights,
  deps: Deps,
  nodes: PlannedNode[],
  rooms: OutputRooms,
): Promise<Map<PlannedNode, DeniedOutput>> {
  const deniedOutputs = new Map<PlannedNode, DeniedOutput>();
  const existing = new Set<string>();
  for (const node of nodes) {
    const { group, local } = node;
    if (group.program.kind === 'object') {
      const { path } = group.program;
      if (!rights.isFree(path)) await rights.demand(path, 'read');
      if (nodes.length > 1) await checkExists(path, node, deps, existing);
    }
    for (const [index, path] of node.containers?.entries() ?? []) {
      if (!path) continue;
      await rights.demand(path, 'read');
      const isNamed = group.devices[index]!.url?.url === `swift:/${pathText(path)}`;
      if (nodes.length > 1 && isNamed && !(await deps.node.findContainer(path))) {
        throw nodeNotRun(node.name, 404, `Error while fetching ${pathText(path)}`);
      }
    }
    for (const [index, path] of node.objects.entries()) {
      if (!path) continue;
      const access = group.devices[index]!.kind?.access === 'write' ? 'write' : 'read';
      if (access === 'write' || !rights.isFree(path)) {
        const denial =
          (rights.isFree(path) ? undefined : await rights.findDenial(path, access)) ??
          (access === 'write' ? await rooms.findRefusal(path) : undefined);
        if (denial && (access === 'read' || index === local)) throw denial;
        if (denial && !deniedOutputs.has(node)) deniedOutputs.set(node, { device: index, status: denial.status, path });
      }
      const isNamed = group.devices[index]!.url?.url === `swift:/${pathText(path)}`;
      if (nodes.length > 1 && access === 'read' && isNamed) await checkExists(path, node, deps, existing);
    }
  }
  return deniedOutputs;
}

async function checkExists(path: ObjectPath, { name }: PlannedNode, deps: Deps, existing: Set<string>): Promise<void> {
  const text = pathText(path);
  if (existing.has(text)) return;
  if (!(await deps.node.findObject(path))) {
    throw nodeNotRun(name, 404, `Error 404 Not Found while fetching ${text}`);
  }
  existing.add(text);
}
