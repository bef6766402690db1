import type { FileType } from '@zerocloud/sandbox';
import type { Device, Group } from './description';
import { listingLines } from './devices';
import { badJob } from './errors';
import type { PlannedNode } from './plan';
import { userImage } from './urls';
import { findFilled } from './wildcards';

/** A pipe between two nodes: what one writes to its device the other reads from its own. Device names as in `NodeChannel`. */
export interface Connection {
  from: PlannedNode;
  output: string;
  to: PlannedNode;
  input: string;
  /** What `stat` says about the output in the guest. */
  fileType: FileType;
}

/** A group of the description with its nodes. */
export interface ExpandedGroup {
  group: Group;
  nodes: PlannedNode[];
  /** By node: what the stars of its wildcards took. */
  captures?: string[][];
}

/**
 * The connections that groups ask for: `connect` joins every node of a group to every node of another by
 * `/dev/out/<node>` and `/dev/in/<node>`; a device with a `zvm://` path takes the place of that pair. A group that names
 * itself joins all of its nodes, each to all others.
 */
export function connectNodes(groups: readonly ExpandedGroup[], maxConnections: number): Connection[] {
  const byName = new Map(groups.map((one) => [one.group.name, one]));
  const connections: Connection[] = [];
  for (const source of groups) {
    const { group, nodes } = source;
    for (const [peer, devices] of peersOf(group)) {
      const target = byName.get(peer);
      if (!target) throw badJob(`Non-existing node in connect ${peer}`);
      if (target === source && nodes.length === 1) throw badJob(`Cannot bind to itself: ${peer}`);
      const count = nodes.length * target.nodes.length * Math.max(1, devices.length);
      if (connections.length + count > maxConnections) {
        throw badJob(`Too many connections in job: at most ${maxConnections}`);
      }
      connectGroups(source, target, devices, connections);
    }
  }
  checkDevices(connections);
  return connections;
}

/** Groups that a group is connected to, each with the devices whose `zvm://` path names it. */
function peersOf({ name, connect, devices }: Group): Map<string, Device[]> {
  const peers = new Map(connect?.map((peer): [string, Device[]] => [peer, []]));
  if (connect && peers.size < connect.length) {
    const seen = new Set<string>();
    const twice = connect.find((one) => seen.size === seen.add(one).size);
    throw badJob(`Duplicate node in connect ${twice} for node ${name}`);
  }
  for (const device of devices) {
    if (device.url?.kind !== 'node') continue;
    const known = peers.get(device.url.node);
    if (known) known.push(device);
    else peers.set(device.url.node, [device]);
  }
  return peers;
}

function connectGroups(
  source: ExpandedGroup,
  target: ExpandedGroup,
  devices: readonly Device[],
  connections: Connection[],
): void {
  source.nodes.forEach((from, index) => {
    for (const to of target.nodes) {
      if (from === to) continue;
      if (devices.length === 0) {
        const [output, input] = [`out/${deviceName(to)}`, `in/${deviceName(from)}`];
        connections.push({ from, output, to, input, fileType: 'pipe' });
      }
      for (const { name, url, fileType } of devices) {
        const text = url?.kind === 'node' ? url.device : '';
        const input = findFilled(text, source.captures?.[index] ?? []) ?? text;
        if (!isDeviceName(input)) throw badJob(`Bad device name: ${input} in ${to.name}`);
        connections.push({ from, output: name, to, input, fileType });
      }
    }
  });
}

/** A node's name becomes the name of a file. */
function deviceName({ name }: PlannedNode): string {
  if (name.includes('/') || !isDeviceName(name)) throw badJob('Invalid node name');
  return name;
}

function isDeviceName(text: string): boolean {
  const parts = text.split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..') && !/[\u0000-\u001f\u007f]/.test(text);
}

/** A device is one end of one pipe, and nothing else besides. */
function checkDevices(connections: readonly Connection[]): void {
  const outputs = new Map<PlannedNode, Set<string>>();
  const inputs = new Map<PlannedNode, Set<string>>();
  for (const { from, output, to, input } of connections) {
    if (!addName(outputs, from, output)) {
      throw badJob(`Device ${output} of ${from.name} is connected to several nodes`);
    }
    if (!addName(inputs, to, input)) throw badJob(`Device ${input} of ${to.name} is connected to several nodes`);
  }
  const declared = new Map<Group, Set<string>>();
  for (const [node, names] of inputs) {
    const { group } = node;
    let ownNames = declared.get(group);
    if (!ownNames) {
      ownNames = namesOf(node);
      declared.set(group, ownNames);
    }
    for (const name of names) {
      if (outputs.get(node)?.has(name) || ownNames.has(name)) {
        throw badJob(`Duplicate device name: ${name} in ${node.name}`);
      }
    }
  }
}

function addName(names: Map<PlannedNode, Set<string>>, node: PlannedNode, name: string): boolean {
  const known = names.get(node);
  if (!known) names.set(node, new Set([name]));
  else if (known.has(name)) return false;
  else known.add(name);
  return true;
}

/** Names of the devices that all nodes of a group have. */
function namesOf({ group, containers }: PlannedNode): Set<string> {
  const names = new Set([userImage]);
  group.devices.forEach(({ name }, index) => {
    names.add(name);
    if (containers?.[index] !== undefined) names.add(listingLines(name));
  });
  return names;
}
