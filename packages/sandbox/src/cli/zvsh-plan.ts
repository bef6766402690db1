import path from 'node:path';
import { findUnwritable } from '../manifest/format-manifest';
import type { ManifestChannel } from '../manifest/manifest';
import type { ChannelLimits } from '../session';
import type { ZvshConfig } from './zvsh-config';
import { prepareFileArgument } from './zvsh-files';
import { type ImageOption, UsageError, type ZvshOptions } from './zvsh-options';

type PlannedChannel = Omit<ManifestChannel, 'line'>;

/** An image whose file is known. */
export interface ImageFile extends ImageOption {
  /** Absolute path. */
  file: string;
  /** What the program sees behind the channel's number. */
  label: string;
  isTar: boolean;
}

/** What the command line means, before anything is written. */
export interface ZvshPlan {
  args: string[];
  env: Record<string, string>;
  /** File arguments, then images. */
  channels: PlannedChannel[];
  fileArguments: string[];
  mounts: { channel: string; mountPoint: string; access: string }[];
}

/** Takes `@FILE` and `@NAME=value` out of the arguments and numbers the channels: file arguments first, then images. */
export function planSession(options: ZvshOptions, images: readonly ImageFile[], config: ZvshConfig): ZvshPlan {
  const plan: ZvshPlan = { args: [], env: { ...config.env }, channels: [], fileArguments: [], mounts: [] };
  const add = (file: string, label: string, findDirection: () => Direction): string => {
    const problem = findUnwritable(file);
    if (problem !== undefined) {
      const hint = problem === '=' ? '; a variable has capitals, digits and underscores in its name' : '';
      throw new UsageError(`${file}: a manifest cannot hold a path with '${problem}'${hint}`);
    }
    const alias = `/dev/${plan.channels.length + 1}.${label}`;
    plan.channels.push(planChannel(file, alias, 3, directionOf(findDirection(), config.limits)));
    return alias;
  };
  for (const word of options.args) {
    const variable = /^@([A-Z0-9_]+)=(.*)$/s.exec(word);
    if (variable) {
      plan.env[variable[1]!] = variable[2]!;
    } else if (word.startsWith('@') && word.length > 1) {
      const file = path.resolve(word.slice(1));
      const alias = add(file, path.basename(file), () => (prepareFileArgument(file).writable ? 'both' : 'read'));
      plan.fileArguments.push(alias);
      plan.args.push(alias);
    } else {
      plan.args.push(word);
    }
  }
  for (const { file, label, mountPoint, access, isTar } of images) {
    const channel = add(file, label, () => (access === 'wo' ? 'write' : 'read'));
    if (isTar) plan.mounts.push({ channel, mountPoint, access });
  }
  return plan;
}

type Direction = 'read' | 'write' | 'both';

export function planChannel(
  file: string,
  alias: string,
  type: ManifestChannel['type'],
  limits: ChannelLimits,
): PlannedChannel {
  return { path: file, alias, type, etag: false, limits };
}

/** The limits with the other direction closed. */
export function directionOf(direction: Direction, limits: ZvshConfig['limits']): ChannelLimits {
  const { reads, readBytes, writes, writeBytes } = limits;
  if (direction === 'read') return { reads, readBytes, writes: 0, writeBytes: 0 };
  if (direction === 'write') return { reads: 0, readBytes: 0, writes, writeBytes };
  return { reads, readBytes, writes, writeBytes };
}
