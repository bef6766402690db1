import { readFileSync, statSync } from 'node:fs';
import { manifestLimits } from '../manifest/manifest';
import { SessionError, sessionCode } from '../manifest/session-error';
import { createReport, formatReport, formatReportLine } from '../report';
import type { Report } from '../session';
import { withInterrupt } from './interrupt';
import { findJailMode } from './jail-mode';
import { Progress, phaseSentences } from './progress';
import { runManifest } from './run-manifest';
import { standardFds, writeText } from './standard-streams';
import { logToSystem } from './system-log';
import { findZerovmOptions, type ZerovmOptions, zerovmHelp, zerovmUsage } from './zerovm-options';

type Environment = Readonly<Record<string, string | undefined>>;

/** `zerovm [options] <manifest>`: one session and its report. Resolves with the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  if (argv.includes('--help')) {
    writeText(standardFds.stdout, zerovmHelp);
    return 0;
  }
  const options = findZerovmOptions(argv);
  if (!options) {
    writeText(standardFds.stdout, zerovmUsage);
    return sessionCode.invalid;
  }
  const report = await withInterrupt((signal) => run(options, env, signal));
  if (report.detail !== undefined) writeText(standardFds.stderr, `zerovm: ${report.state}: ${report.detail}\n`);
  if (options.reportTo === 0) writeText(standardFds.stdout, formatReport(report));
  if (options.reportTo === 1) logToSystem(formatReportLine(report));
  return report.code;
}

async function run(options: ZerovmOptions, env: Environment, signal: AbortSignal): Promise<Report> {
  const { skipValidation, checkOnly, tracePath, verbosity } = options;
  const progress = new Progress('zerovm');
  const say = (level: number, text: string) => {
    if (verbosity >= level) writeText(standardFds.stderr, `zerovm: ${text}\n`);
  };
  let text: string;
  try {
    text = readManifest(options.manifest);
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    return createReport({ validation: 2, state: error.state, code: error.code });
  }
  say(3, `manifest ${options.manifest}\n${text}`);
  const report = await runManifest(text, {
    skipValidation,
    checkOnly,
    jail: findJailMode(env),
    env,
    signal,
    ...(tracePath !== undefined && { tracePath }),
    onWarning: (warning) => writeText(standardFds.stderr, `zerovm: warning: ${warning}\n`),
    onPhase: (phase) => {
      progress.enter(phaseSentences[phase]);
      say(2, phase);
    },
  });
  if (report.code !== 0) say(1, `${report.state} (${report.code})`);
  return report;
}

function readManifest(path: string): string {
  try {
    if (statSync(path).size > manifestLimits.bytes) throw new SessionError('manifest read error', sessionCode.fault);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SessionError) throw error;
    throw new SessionError('manifest open error', sessionCode.fault, { cause: error });
  }
}
