import path from 'node:path';
import { formatReport, reportCode } from '../report';
import type { Report } from '../session';
import { exportImage } from './export-image';
import { installedImages } from './installed-images';
import { withInterrupt } from './interrupt';
import { findJailMode } from './jail-mode';
import { Progress, phaseSentences } from './progress';
import { runManifest } from './run-manifest';
import { reasonOf, standardFds, writeText } from './standard-streams';
import { readZvshConfig } from './zvsh-config';
import { createWorkDir } from './zvsh-files';
import { parseZvshOptions, UsageError, type ZvshOptions, zvshHelp, zvshUsage } from './zvsh-options';
import { prepareSession, type ZvshSession } from './zvsh-session';

type Environment = Readonly<Record<string, string | undefined>>;

/** `zvsh [options] COMMAND [arguments…]`: one program with files as channels. Resolves with the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  try {
    const request = parseZvshOptions(argv);
    const installed = () => installedImages(env);
    if (request.kind === 'run') return await runCommand(request.options, env);
    if (request.kind === 'help') {
      writeText(standardFds.stdout, zvshHelp);
    } else if (request.kind === 'list-images') {
      const lines = [...installed().values()].map(({ name, path: file }) => `${name}\t${file}\n`);
      writeText(standardFds.stdout, lines.join(''));
    } else {
      const image = installed().get(request.image);
      if (!image) throw new UsageError(`${request.image}: no such installed image (zvsh --zvm-list-images)`);
      await exportImage(image, path.resolve(request.file)).catch((error) => {
        throw new Error(`${request.file}: ${reasonOf(error)}`);
      });
    }
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      writeText(standardFds.stderr, `${zvshUsage}zvsh: error: ${error.message}\n`);
      return 2;
    }
    writeText(standardFds.stderr, `zvsh: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function runCommand(options: ZvshOptions, env: Environment): Promise<number> {
  const onWarning = (text: string) => writeText(standardFds.stderr, `zvsh: warning: ${text}\n`);
  const work = createWorkDir(options.saveDir);
  const progress = new Progress('zvsh');
  try {
    const config = readZvshConfig();
    const session = await prepareSession({
      options,
      config,
      directory: work.directory,
      installed: () => installedImages(env),
      onWarning,
    });
    const report = await withInterrupt((signal) =>
      runManifest(session.manifestText, {
        signal,
        env,
        jail: findJailMode(env),
        // The FIFOs are for those who run the saved manifest; here both ends are this process.
        bound: new Map([
          [session.stdoutPath, standardFds.stdout],
          [session.stderrPath, standardFds.stderr],
        ]),
        ...(options.trace && { tracePath: path.resolve('zvsh.trace.log') }),
        onWarning,
        onPhase: (phase) => progress.enter(phaseSentences[phase]),
      }),
    );
    if (report.code !== reportCode.ok) explainFailure(session, report);
    else if (report.detail !== undefined) onWarning(report.detail);
    return options.getrc ? report.code : exitCodeOf(report);
  } finally {
    work.remove();
  }
}

/** The program's code, and the hypervisor's four bits further left; eight bits of it are seen by the shell. */
function exitCodeOf({ exitCode, code }: Report): number {
  return (exitCode | (code << 4)) & 0xff;
}

/** What was run and what became of it, as the original tells it. */
function explainFailure({ manifestText, nvramText }: ZvshSession, report: Report): void {
  const detail = report.detail === undefined ? '' : `${report.detail}\n`;
  const parts = [manifestText, nvramText, '\n', formatReport(report), detail];
  writeText(standardFds.stderr, `${parts.join('')}ERROR: ZeroVM return code is ${report.code}\n`);
}
