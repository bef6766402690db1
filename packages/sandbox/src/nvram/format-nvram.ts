import { escapeValue, joinArguments } from './escapes';

/** What `zvsh` tells the guest. */
export interface NvramFile {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  mounts: readonly { channel: string; mountPoint: string; access: string }[];
  mapping: readonly { channel: string; mode: string }[];
  verbosity?: number;
}

/** The text of the guest's configuration; sections without records are left out. */
export function formatNvram({ args, env, mounts, mapping, verbosity }: NvramFile): string {
  const sections: [name: string, records: string[]][] = [
    ['args', [`args = ${joinArguments(args)}`]],
    ['env', Object.entries(env).map(([name, value]) => `name=${escapeValue(name)},value=${escapeValue(value)}`)],
    [
      'fstab',
      mounts.map(
        ({ channel, mountPoint, access }) =>
          `channel=${channel},mountpoint=${mountPoint},access=${access},removable=no`,
      ),
    ],
    ['mapping', mapping.map(({ channel, mode }) => `channel=${channel},mode=${mode}`)],
    ['debug', verbosity === undefined ? [] : [`verbosity=${verbosity}`]],
  ];
  return sections
    .filter(([, records]) => records.length > 0)
    .map(([name, records]) => `[${name}]\n${records.map((record) => `${record}\n`).join('')}`)
    .join('');
}
