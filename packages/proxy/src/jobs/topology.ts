import { HttpError } from '../errors';
import type { Connection } from './connections';
import type { PlannedNode } from './plan';

/**
 * Which nodes run at the same time. Nodes that are joined by connections, directly or through others, do if there are
 * places for all of them. If there are not, only those do that wait for each other in a circle; every other node runs when
 * those that write to it have ended, and what they wrote lies on disk until then. So a job without cycles always finishes, and
 * never holds places while it waits for more.
 */
export interface Unit {
  /** In the order of the plan. */
  nodes: PlannedNode[];
  /** Connections within the unit. */
  pipes: Connection[];
  /** Connections from units that have ended when this one starts, and to those that start after it. */
  incoming: Connection[];
  outgoing: Connection[];
}

/**
 * The units of a job, in the order of their first nodes. `places` is how many connected nodes can run at once; 503 for a
 * cycle of more.
 */
export function findUnits(nodes: readonly PlannedNode[], connections: readonly Connection[], places: number): Unit[] {
  if (connections.length === 0) return nodes.map((node) => ({ nodes: [node], pipes: [], incoming: [], outgoing: [] }));
  const indexOf = new Map(nodes.map((node, index) => [node, index]));
  const readers: number[][] = nodes.map(() => []);
  for (const { from, to } of connections) readers[indexOf.get(from)!]!.push(indexOf.get(to)!);
  const part = findComponents(readers);
  const sizes = countBy(part);
  const circle = sizes.some((size) => size > places) ? findCircles(readers) : part;
  // By component where it fits, by circle where it does not.
  const unitOf = nodes.map((_, index) => (sizes[part[index]!]! <= places ? `c${part[index]}` : `s${circle[index]}`));
  const units = new Map<string, Unit>();
  nodes.forEach((node, index) => {
    const unit = units.get(unitOf[index]!);
    if (unit) unit.nodes.push(node);
    else units.set(unitOf[index]!, { nodes: [node], pipes: [], incoming: [], outgoing: [] });
  });
  for (const unit of units.values()) {
    if (unit.nodes.length > 1 && unit.nodes.length > places) throw tooLarge(unit, places);
  }
  for (const connection of connections) {
    const from = units.get(unitOf[indexOf.get(connection.from)!]!)!;
    const to = units.get(unitOf[indexOf.get(connection.to)!]!)!;
    if (from === to) from.pipes.push(connection);
    else {
      from.outgoing.push(connection);
      to.incoming.push(connection);
    }
  }
  return [...units.values()];
}

function tooLarge({ nodes }: Unit, places: number): HttpError {
  const sentence = `Cluster slot not available: ${nodes.length} nodes of the job wait for each other in a circle and must run at once`;
  return new HttpError(503, `${sentence}, but at most ${places} can`);
}

/** By node, the number of what it is joined to in whatever direction. */
function findComponents(readers: readonly (readonly number[])[]): number[] {
  const parent = readers.map((_, index) => index);
  const find = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = index; at !== root; ) [at, parent[at]] = [parent[at]!, root];
    return root;
  };
  readers.forEach((targets, from) => {
    for (const to of targets) parent[find(from)] = find(to);
  });
  return parent.map((_, index) => find(index));
}

/** How often each number occurs. */
function countBy(numbers: readonly number[]): number[] {
  const counts = new Array<number>(numbers.length).fill(0);
  for (const number of numbers) counts[number]!++;
  return counts;
}

/**
 * By node, the number of its strongly connected component: nodes that reach each other. Tarjan's algorithm with a stack of its
 * own, because a job may be a chain of ten thousand nodes.
 */
function findCircles(readers: readonly (readonly number[])[]): number[] {
  const order = new Array<number>(readers.length).fill(-1);
  const lowest = new Array<number>(readers.length).fill(0);
  const circle = new Array<number>(readers.length).fill(-1);
  const open: number[] = [];
  let visited = 0;
  for (let start = 0; start < readers.length; start++) {
    if (order[start] !== -1) continue;
    const path = [{ node: start, next: 0 }];
    order[start] = lowest[start] = visited++;
    open.push(start);
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const { node } = step;
      const target = readers[node]![step.next++];
      if (target === undefined) {
        path.pop();
        const before = path.at(-1)?.node;
        if (before !== undefined) lowest[before] = Math.min(lowest[before]!, lowest[node]!);
        if (lowest[node] !== order[node]) continue;
        let member: number;
        do {
          member = open.pop()!;
          circle[member] = node;
        } while (member !== node);
      } else if (order[target] === -1) {
        order[target] = lowest[target] = visited++;
        open.push(target);
        path.push({ node: target, next: 0 });
      } else if (circle[target] === -1) {
        lowest[node] = Math.min(lowest[node]!, order[target]!);
      }
    }
  }
  return circle;
}
