import type { SessionParts } from './create-session';
import { installedImages } from './installed-images';
import { findInterpreter, holdsLibrary, type Interpreter } from './interpreters';
import type { RunOptions } from './run-manifest';
import { findSnapshot, type OpenedSnapshot } from './snapshot-cache';

/** The snapshot that a session starts from, if its program is an interpreter and nothing in the session speaks against it. */
export async function findStart(
  parts: Omit<SessionParts, 'snapshot'>,
  { env, onPhase, tracePath }: RunOptions,
): Promise<OpenedSnapshot | undefined> {
  const interpreter = findInterpreter(parts.program, installedImages(env).values());
  if (!interpreter) return undefined;
  // JavaScript has no other way to start.
  if (interpreter.language !== 'javascript' && !startsAlike(interpreter, parts, tracePath !== undefined))
    return undefined;
  return findSnapshot(interpreter, { env, onMake: () => onPhase?.('copying') });
}

/** Whether the guest could not tell its start from the snapshot's. */
function startsAlike(
  { image }: Interpreter,
  { manifest, nvram, channels }: Omit<SessionParts, 'snapshot'>,
  isTraced: boolean,
): boolean {
  // What was done at the start would be missing in the trace, the random numbers, the checksum of memory.
  if (isTraced || nvram.verbosity > 0 || nvram.startSeconds !== undefined || manifest.memoryEtag) return false;
  const { library } = image;
  if (library === undefined) return true;
  // The last archive at the root lies over the others.
  const mount = nvram.mounts.findLast(({ mountPoint, access }) => access === 'ro' && /^\/+$/.test(mountPoint));
  const channel = mount && channels.find(mount.channel);
  return channel?.kind === 'file' && holdsLibrary(channel, library);
}
