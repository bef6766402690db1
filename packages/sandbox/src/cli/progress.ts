import { isatty } from 'node:tty';
import type { RunPhase } from './run-manifest';
import { standardFds, writeText } from './standard-streams';

/** Nobody wants to be told of what takes less, in milliseconds. */
export const patienceMs = 700;

/** What is said of the phases that may take long. */
export const phaseSentences: Partial<Record<RunPhase, string>> = {
  copying: 'starting the interpreter once, for this and all later runs…',
  starting: 'starting the sandbox…',
  checking: 'checking and compiling the program…',
};

/** Where progress is shown. */
export interface ProgressTarget {
  isTerminal: boolean;
  write(text: string): void;
}

const standardError: ProgressTarget = {
  isTerminal: isatty(standardFds.stderr),
  write: (text) => writeText(standardFds.stderr, text),
};

/** Says on a terminal what the wait is for, and takes it back before the guest runs. */
export class Progress {
  private timer: NodeJS.Timeout | undefined;
  private shown = false;

  constructor(
    private readonly command: string,
    private readonly target: ProgressTarget = standardError,
  ) {}

  /** What the wait from now on is for; nothing: there is none. */
  enter(sentence: string | undefined): void {
    clearTimeout(this.timer);
    if (this.shown) this.target.write('\r\x1b[K');
    this.shown = false;
    if (sentence === undefined || !this.target.isTerminal) return;
    this.timer = setTimeout(() => {
      this.target.write(`${this.command}: ${sentence}`);
      this.shown = true;
    }, patienceMs);
  }
}
