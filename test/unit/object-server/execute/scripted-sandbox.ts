import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Report, Sandbox, Session, SessionResult } from '@zerocloud/sandbox';
import { noAccounting } from '@zerocloud/sandbox/report';

export const report: Report = {
  validation: 0,
  daemon: false,
  exitCode: 0,
  etags: [],
  accounting: noAccounting,
  state: 'ok',
  code: 0,
  elapsedMs: 1,
};

/** What the "guest" of a test does: it sees the session and says what each writable channel received. */
export type Guest = (session: Session) => Record<string, Buffer> | Promise<Record<string, Buffer>>;

/**
 * A sandbox whose guests are functions of the test: it keeps the sandbox's contract about outputs (small ones as
 * bytes, large ones as files the receiver owns) and nothing else.
 */
export class ScriptedSandbox implements Pick<Sandbox, 'run'> {
  readonly sessions: Session[] = [];
  guest: Guest = () => ({});
  failure?: Error;
  report: Partial<Report> = {};
  /** The session's process dies: what was written is gone. */
  dies = false;

  constructor(
    private readonly workDir: string,
    private readonly inlineOutputBytes: number,
  ) {}

  async run(session: Session): Promise<SessionResult> {
    this.sessions.push(session);
    if (this.failure) throw this.failure;
    const written = await this.guest(session);
    const outputs: SessionResult['outputs'] = [];
    for (const { name, limits, discard } of session.channels) {
      if (limits.writes === 0) continue;
      if (this.dies) {
        outputs.push({ name, sizeBytes: 0, isLost: true, body: { kind: 'bytes', data: Buffer.alloc(0) } });
        continue;
      }
      const data = discard ? Buffer.alloc(0) : (written[name] ?? Buffer.alloc(0));
      if (data.length <= this.inlineOutputBytes) {
        outputs.push({ name, sizeBytes: data.length, body: { kind: 'bytes', data } });
        continue;
      }
      const file = path.join(this.workDir, randomUUID());
      await writeFile(file, data);
      outputs.push({ name, sizeBytes: data.length, body: { kind: 'file', path: file } });
    }
    return { report: { ...report, ...this.report }, outputs };
  }
}
