import { SandboxError } from '../errors';
import { formsToTry, type JailForm, type JailMode, meansOf } from './forms';
import { createJail, createOpenJail, inspectHost, type Jail, type JailHost } from './jail';
import { probeJail } from './probe';
import type { ResourceLimits } from './resource-limits';

export interface JailRequest {
  mode: JailMode;
  /** Where slots will be. */
  workDir: string;
  limits: ResourceLimits;
  log?: (event: Record<string, unknown>, message: string) => void;
}

/**
 * The strongest form of confinement that this host offers, each tried by starting a process in it. Throws
 * `jail-unavailable`, with what is missing, if the full form is required and is not to be had.
 */
export async function chooseJail({ mode, workDir, limits, log }: JailRequest): Promise<Jail> {
  if (mode === 'off') {
    log?.({ jail: 'none' }, 'programs run in processes without any confinement, as configured');
    return createOpenJail();
  }
  let missing: string | undefined;
  const give = (jail: Jail): Jail => {
    const weaker = missing === undefined ? undefined : { missing };
    log?.({ jail: jail.form, ...weaker }, `programs run in the strongest jail there is here: ${jail.form}`);
    return jail;
  };
  const host = await inspectHost(limits).catch((error: Error) => {
    missing = `Node cannot be started (${error.message.split('\n')[0]})`;
    return undefined;
  });
  for (const form of host ? formsToTry(host.isRoot) : []) {
    if (form === 'none') break;
    const reason = findMissing(form, host!) ?? (await probeJail(form, host!, workDir));
    if (reason === undefined) return give(createJail(form, host!));
    missing ??= reason;
    if (mode === 'require') break;
  }
  if (mode === 'require') throw new SandboxError('jail-unavailable', `no full jail for programs here: ${missing}`);
  return give(createOpenJail());
}

/** What has to be installed for a form; undefined if everything is there. */
export function findMissing(form: JailForm, { tools, isRoot, filter: program }: JailHost): string | undefined {
  const { namespaces, filter, limits } = meansOf(form, isRoot);
  if (namespaces && !tools.bwrap) return 'bubblewrap is not installed (apt-get install bubblewrap)';
  if (limits && !tools.prlimit) return 'prlimit is not installed (apt-get install util-linux)';
  if (filter && program === undefined) return `there is no system-call filter for ${process.arch}`;
  return undefined;
}
