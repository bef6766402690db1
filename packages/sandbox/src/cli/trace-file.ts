import { closeSync, openSync } from 'node:fs';
import { SessionError, sessionCode } from '../manifest/session-error';
import { formatSeconds } from '../wasi/trace-calls';
import { reasonOf, writeText } from './standard-streams';

/** ZeroVM's trace (`doc/ztrace.txt`): a block for each session, appended; the guest's calls are added by its process. */
export class TraceFile {
  readonly originMs = Date.now();
  private lastMs = 0;

  private constructor(readonly fd: number) {
    writeText(fd, `[${process.pid}] ${'0'.repeat(48)}\n`);
  }

  static open(path: string): TraceFile {
    try {
      return new TraceFile(openSync(path, 'a'));
    } catch (cause) {
      throw new SessionError(`cannot open the trace file: ${reasonOf(cause)}`, sessionCode.fault, { cause });
    }
  }

  /** A phase in brackets, or what the guest does. */
  add(what: string): void {
    const nowMs = Date.now() - this.originMs;
    writeText(this.fd, `${formatSeconds(nowMs)} [${formatSeconds(nowMs - this.lastMs)}]: ${what}\n`);
    this.lastMs = nowMs;
  }

  /** Ends the block. */
  close(): void {
    this.add('[exit]');
    writeText(this.fd, '\n');
    closeSync(this.fd);
  }
}
