import type { Group } from './description';
import { badJob } from './errors';
import { userImage } from './urls';

/** Modules of one daemon. */
const maxModules = 64;

const moduleName = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/;

/** `exec.daemon`: names of Python modules that are imported once for many jobs; a single one need not be in a list. */
export function readDaemon(value: unknown, node: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const names = typeof value === 'string' ? [value] : value;
  const isRight =
    Array.isArray(names) &&
    names.length > 0 &&
    names.length <= maxModules &&
    names.every((name) => typeof name === 'string' && name.length <= 256 && moduleName.test(name));
  if (!isRight) throw badJob(`Invalid daemon for ${node}`);
  return names;
}

/** Nor may others connect to a daemon. */
export function checkDaemonsApart(connections: readonly { to: { group: Group } }[]): void {
  const reached = connections.find(({ to }) => to.group.daemon);
  if (reached) throw badJob(`Daemon ${reached.to.group.name} cannot have connections`);
}

/** A copy has no neighbours, and holds a program of the operator's: the conditions that ZeroCloud has for its daemons. */
export function checkDaemon({
  name,
  program,
  connect,
  devices,
}: Pick<Group, 'name' | 'program' | 'connect' | 'devices'>): void {
  if (program.kind !== 'image' || program.image === userImage) {
    throw badJob(`The program of daemon ${name} must be in a system image`);
  }
  if (connect?.length || devices.some(({ url }) => url?.kind === 'node')) {
    throw badJob(`Daemon ${name} cannot have connections`);
  }
}
