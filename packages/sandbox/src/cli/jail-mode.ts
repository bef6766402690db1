import { SandboxError } from '../errors';
import type { JailMode } from '../jail/forms';

/** How the server is told as well. */
const jailVariable = 'ZEROCLOUD_JAIL';

/** How strongly guests' processes are to be confined. Throws `jail-unavailable` for a word it does not know. */
export function findJailMode(env: Readonly<Record<string, string | undefined>>): JailMode {
  const mode = env[jailVariable] ?? 'auto';
  if (mode === 'auto' || mode === 'require' || mode === 'off') return mode;
  throw new SandboxError('jail-unavailable', `${jailVariable}: '${mode}' is none of auto, require, off`);
}
