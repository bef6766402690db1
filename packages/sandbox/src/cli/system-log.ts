import { spawnSync } from 'node:child_process';
import { standardFds, writeText } from './standard-streams';

/** Sends one line to the system log; where there is none it goes to standard error. */
export function logToSystem(line: string): void {
  const { status } = spawnSync('logger', ['-t', 'zerovm', '--', line], { stdio: 'ignore', timeout: 5000 });
  if (status !== 0) writeText(standardFds.stderr, `zerovm: ${line}\n`);
}
