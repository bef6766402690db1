import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { isatty } from 'node:tty';
import { findUnwritable, formatManifest } from '../manifest/format-manifest';
import { formatNvram } from '../nvram/format-nvram';
import type { SystemImage } from '../session';
import { exportImage } from './export-image';
import { standardFds } from './standard-streams';
import type { ZvshConfig } from './zvsh-config';
import { createFifos, extractMember, isFile, isTarFile } from './zvsh-files';
import { type ImageOption, UsageError, type ZvshOptions } from './zvsh-options';
import { directionOf, type ImageFile, planChannel, planSession, type ZvshPlan } from './zvsh-plan';

/** The generated files of one run. */
export interface ZvshSession {
  manifestText: string;
  nvramText: string;
  /** Where the program's standard output and error go by the manifest. */
  stdoutPath: string;
  stderrPath: string;
}

export interface PrepareOptions {
  options: ZvshOptions;
  config: ZvshConfig;
  /** Where the generated files go. */
  directory: string;
  installed: () => ReadonlyMap<string, SystemImage>;
  onWarning(text: string): void;
}

/** Finds images and program and writes `manifest.1`, `nvram.1` and, if need be, `boot.1`. Throws `UsageError`. */
export async function prepareSession(prepare: PrepareOptions): Promise<ZvshSession> {
  const { options, config, directory } = prepare;
  const images: ImageFile[] = [];
  for (const image of [...config.images, ...options.images]) images.push(await findImage(image, prepare));
  const { node } = config.manifest;
  const program = findProgram(options.command, images, path.join(directory, `boot.${node}`));
  const plan = planSession(options, images, config);
  const at = (name: string) => path.join(directory, `${name}.${node}`);
  const files = { nvram: at('nvram'), stdout: at('stdout'), stderr: at('stderr'), program };
  if (options.saveDir !== undefined) createFifos([files.stdout, files.stderr]);
  const nvramText = formatNvram({
    args: [options.command, ...plan.args],
    env: plan.env,
    mounts: plan.mounts,
    mapping: mappingOf(plan),
    verbosity: options.verbosity ?? (options.debug ? 3 : undefined),
  });
  const manifestText = writeManifest(options, config, plan, files);
  writeFileSync(files.nvram, nvramText);
  writeFileSync(at('manifest'), manifestText);
  return { manifestText, nvramText, stdoutPath: files.stdout, stderrPath: files.stderr };
}

/** An archive where the path says, or an installed image of that name, which is written as an archive. */
async function findImage(
  image: ImageOption,
  { directory, config, installed, onWarning }: PrepareOptions,
): Promise<ImageFile> {
  const file = path.resolve(image.source);
  const label = path.basename(file);
  if (image.access === 'wo') return { ...image, file, label, isTar: true };
  if (!image.isName && isFile(file)) {
    const isTar = isTarFile(file);
    if (!isTar) onWarning(`${image.source} is not a plain tar archive; it is a channel, and not mounted`);
    return { ...image, file, label, isTar };
  }
  const found = installed().get(image.source);
  if (!found) throw new UsageError(`${image.source}: neither a file nor an installed image (zvsh --zvm-list-images)`);
  // With the node's number, as all that is generated: a `python.tar` in the directory is the user's.
  const exported = path.join(directory, `${found.name}.${config.manifest.node}.tar`);
  await exportImage(found, exported);
  return { ...image, file: exported, label: `${found.name}.tar`, isTar: true };
}

/** The program's file; taken out of the last image that has it, if it is not one itself. */
function findProgram(command: string, images: readonly ImageFile[], boot: string): string {
  if (isFile(command)) return path.resolve(command);
  for (const { file, isTar, access } of [...images].reverse()) {
    if (isTar && access === 'ro' && extractMember(file, command, boot)) return boot;
  }
  const where = images.length === 0 ? 'no such file' : 'neither a file nor a program in the images';
  throw new UsageError(`${command}: ${where}`);
}

interface SessionFiles {
  nvram: string;
  stdout: string;
  stderr: string;
  program: string;
}

/** Lines in the order of the original's manifests. */
function writeManifest(options: ZvshOptions, config: ZvshConfig, plan: ZvshPlan, files: SessionFiles): string {
  const { manifest, limits } = config;
  const channels = [
    planChannel('/dev/stdin', '/dev/stdin', 0, directionOf('read', limits)),
    planChannel(files.stdout, '/dev/stdout', 0, directionOf('write', limits)),
    planChannel(files.stderr, '/dev/stderr', 0, directionOf('write', limits)),
    ...plan.channels,
    ...(options.debug ? [planChannel(path.resolve('zvsh.log'), '/dev/debug', 0, directionOf('write', limits))] : []),
    planChannel(files.program, '/dev/self', 3, directionOf('read', limits)),
    planChannel(files.nvram, '/dev/nvram', 3, directionOf('both', limits)),
  ];
  for (const file of [files.program, ...channels.map((channel) => channel.path)]) {
    const char = findUnwritable(file);
    if (char !== undefined) throw new UsageError(`${file}: a manifest cannot hold a path with '${char}'`);
  }
  return formatManifest({ ...manifest, program: files.program, channels });
}

/** A terminal is a character device for the program, everything else a file. */
function mappingOf({ fileArguments }: ZvshPlan): { channel: string; mode: string }[] {
  const standard = Object.entries(standardFds).map(([name, fd]) => {
    return { channel: `/dev/${name}`, mode: isatty(fd) ? 'char' : 'file' };
  });
  return [...standard, ...fileArguments.map((channel) => ({ channel, mode: 'file' }))];
}
