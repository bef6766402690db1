import type { Accounting, Report } from './session';

export const noAccounting: Readonly<Accounting> = {
  systemSeconds: 0,
  userSeconds: 0,
  reads: 0,
  readBytes: 0,
  writes: 0,
  writeBytes: 0,
  networkReads: 0,
  networkReadBytes: 0,
  networkWrites: 0,
  networkWriteBytes: 0,
};

/** Error numbers (Linux) that ZeroVM's process exits with. */
export const reportCode = {
  ok: 0,
  /** EINTR: ended by a trap, a signal or the timeout. */
  interrupted: 4,
  /** ENOEXEC: not an acceptable program. */
  refusedProgram: 8,
  /** ENOMEM: the program needs more memory than the session has. */
  memory: 12,
  /** EFAULT: malformed limits. */
  badManifest: 14,
  /** EINVAL: a channel that cannot be. */
  badChannel: 22,
} as const;

/** A report of a session that ended regularly before anything was counted; the rest is filled in by the caller. */
export function createReport(fields: Partial<Report>): Report {
  return {
    validation: 0,
    daemon: false,
    exitCode: 0,
    etags: [],
    accounting: { ...noAccounting },
    state: 'ok',
    code: reportCode.ok,
    elapsedMs: 0,
    ...fields,
  };
}

/** ZeroVM's report: six lines and an empty one (`src/main/report.c`). */
export function formatReport(report: Report): string {
  return `${reportFields(report).join('\n')}\n\n`;
}

/** The same in one line, as ZeroVM writes it to the system log. */
export function formatReportLine(report: Report): string {
  return reportFields(report).join('; ');
}

function reportFields(report: Report): string[] {
  return [
    String(report.validation),
    report.daemon ? '1' : '0',
    String(report.exitCode),
    formatEtags(report),
    formatAccounting(report.accounting),
    report.state,
  ];
}

/** `<alias> <hex>` pairs separated by blanks; `disabled` without any. */
function formatEtags({ etags }: Pick<Report, 'etags'>): string {
  return etags.length === 0 ? 'disabled' : etags.map(({ name, md5 }) => `${name} ${md5}`).join(' ');
}

/** The accounting line: system and user seconds, then local and network transfers. */
function formatAccounting(accounting: Accounting): string {
  const { systemSeconds, userSeconds, reads, readBytes, writes, writeBytes } = accounting;
  const { networkReads, networkReadBytes, networkWrites, networkWriteBytes } = accounting;
  const times = [systemSeconds, userSeconds].map((seconds) => seconds.toFixed(2));
  const local = [reads, readBytes, writes, writeBytes];
  return [...times, ...local, networkReads, networkReadBytes, networkWrites, networkWriteBytes].join(' ');
}
