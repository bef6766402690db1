import { isatty } from 'node:tty';
import { standardFds, writeText } from './standard-streams';

/** Nobody wants to be told of what takes less, in milliseconds. */
const patienceMs = 700;

const sentences: Record<string, string> = {
  starting: 'starting the sandbox…',
  checking: 'checking and compiling the program…',
};

/** Says on a terminal what the wait is for, and takes it back before the guest runs. */
export class Progress {
  private timer: NodeJS.Timeout | undefined;
  private shown = false;

  constructor(private readonly command: string) {}

  enter(phase: string): void {
    clearTimeout(this.timer);
    this.clear();
    const sentence = sentences[phase];
    if (sentence === undefined || !isatty(standardFds.stderr)) return;
    this.timer = setTimeout(() => {
      writeText(standardFds.stderr, `${this.command}: ${sentence}`);
      this.shown = true;
    }, patienceMs);
  }

  private clear(): void {
    if (this.shown) writeText(standardFds.stderr, '\r\x1b[K');
    this.shown = false;
  }
}
