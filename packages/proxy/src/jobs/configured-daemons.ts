import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { type Group, readGroup } from './description';
import type { Plan } from './plan';

/**
 * Daemons of the operator, as ZeroCloud has them: each a file with the description of one node. A node of a job that runs the
 * same program with devices of the same names starts as such a daemon, if its own description asks for none.
 */
export interface ConfiguredDaemon {
  id: string;
  program: string;
  /** Names, sorted. */
  devices: string;
  modules: string[];
}

/** Reads the files of `ZEROCLOUD_DAEMONS`. One that is wrong is logged and left out, as in ZeroCloud. */
export function readConfiguredDaemons(files: Readonly<Record<string, string>>, log: Logger): ConfiguredDaemon[] {
  const daemons: ConfiguredDaemon[] = [];
  for (const [id, file] of Object.entries(files)) {
    try {
      daemons.push(toDaemon(id, JSON.parse(readFileSync(file, 'utf8'))));
    } catch (error) {
      log.warn({ daemon: id, file, problem: (error as Error).message }, 'a daemon is left out');
    }
  }
  return daemons;
}

function toDaemon(id: string, description: unknown): ConfiguredDaemon {
  const [value, ...others] = Array.isArray(description) ? description : [description];
  const group = readGroup(value, '~');
  if (others.length > 0 || group.count > 1) throw new Error('too many nodes');
  if (isConnected(group)) throw new Error('network channels are present');
  if (group.program.kind !== 'image') throw new Error('exe path must be in image file');
  if (group.devices.length === 0) throw new Error('no devices are present');
  if (!group.daemon) throw new Error('no modules are named in exec.daemon');
  return { id, program: group.program.url, devices: deviceNames(group), modules: group.daemon };
}

/** Gives the groups that match a daemon, and have no connections, its modules. */
export function assignDaemons(
  { nodes, connections }: Pick<Plan, 'nodes' | 'connections'>,
  daemons: readonly ConfiguredDaemon[],
): void {
  const connected = new Set(connections.flatMap(({ from, to }) => [from.group, to.group]));
  for (const group of new Set(nodes.map((node) => node.group))) {
    if (group.daemon || connected.has(group)) continue;
    const found = daemons.find(
      ({ program, devices }) => program === group.program.url && devices === deviceNames(group),
    );
    if (found) group.daemon = found.modules;
  }
}

function isConnected({ connect, devices }: Group): boolean {
  return (connect?.length ?? 0) > 0 || devices.some(({ url }) => url?.kind === 'node');
}

function deviceNames({ devices }: Group): string {
  return devices
    .map(({ name }) => name)
    .sort()
    .join('\0');
}
