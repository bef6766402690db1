import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Staging } from '@zerocloud/object-server/staging';
import { withInterrupt } from '@zerocloud/sandbox/cli/interrupt';
import { Progress } from '@zerocloud/sandbox/cli/progress';
import { standardFds, writeText } from '@zerocloud/sandbox/cli/standard-streams';
import { readZvshConfig } from '@zerocloud/sandbox/cli/zvsh-config';
import { UsageError } from '@zerocloud/sandbox/cli/zvsh-options';
import { loadApplication } from './application';
import { describeNodes } from './describe-nodes';
import { findImages } from './images';
import { readLimits } from './limits';
import { LocalFiles } from './local-files';
import { parseZvappOptions, type ZvappOptions, zvappHelp, zvappUsage } from './options';
import { localAccount, planLocalJob } from './plan';
import { printOutcomes } from './print';
import { runLocalJob } from './run';
import { SaveDirectory } from './save-directory';

type Environment = Readonly<Record<string, string | undefined>>;

/** `zvapp [options] EXEC_FILE`: a whole job on this machine. Resolves with the exit code. */
export async function main(argv: readonly string[], env: Environment): Promise<number> {
  try {
    const request = parseZvappOptions(argv);
    if (request.kind === 'run') return await withInterrupt((signal) => runApplication(request.options, env, signal));
    writeText(standardFds.stdout, zvappHelp);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      writeText(standardFds.stderr, `${zvappUsage}zvapp: error: ${error.message}\n`);
      return 2;
    }
    writeText(standardFds.stderr, `zvapp: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

async function runApplication(options: ZvappOptions, env: Environment, signal: AbortSignal): Promise<number> {
  const config = readZvshConfig();
  const accountPath = options.accountPath ?? config.zvapp.accountPath;
  const limits = readLimits(config);
  const images = findImages(options.sysimagePath ?? config.zvapp.sysimagePath, env);
  const saves = options.saveDir === undefined ? undefined : new SaveDirectory(options.saveDir);
  const workDir = mkdtempSync(path.join(os.tmpdir(), 'zvapp-'));
  // The sandbox's users must get through to their slots.
  chmodSync(workDir, 0o711);
  const files = new LocalFiles({
    rootPath: path.resolve(options.rootPath ?? config.zvapp.rootPath ?? '.'),
    ...(accountPath !== undefined && { accountPath: path.resolve(accountPath) }),
    workDir,
  });
  const staging = new Staging({ stagingPath: () => files.stagingPath() });
  const progress = new Progress('zvapp');
  try {
    progress.enter('reading the application…');
    const application = await loadApplication(options.application, {
      account: localAccount,
      staging,
      maxBytes: limits.maxInputBytes,
    });
    const planned = await planLocalJob(application, { files, staging, images, limits, signal });
    const described = describeNodes(planned, files);
    saves?.saveNodes(described);
    if (options.dryRun) {
      writeText(standardFds.stdout, `${JSON.stringify(described, undefined, 2)}\n`);
      return 0;
    }
    const outcomes = await runLocalJob(planned, { files, staging, images, workDir, env, signal, progress });
    await printOutcomes(outcomes, saves);
    return 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    writeText(standardFds.stderr, `zvapp: interrupted by signal ${signal.reason}\n`);
    return 128 + Number(signal.reason);
  } finally {
    progress.enter(undefined);
    staging.close();
    rmSync(workDir, { recursive: true, force: true });
  }
}
