import { type ManifestChannel, manifestVersion } from './manifest';

/** What `zvsh` writes; the order of the lines is that of the original's files. */
export interface ManifestFile {
  node: string;
  version?: string;
  timeout: string;
  memory: string;
  program: string;
  channels: readonly Omit<ManifestChannel, 'line'>[];
}

/** The text of a manifest. Paths must not contain `,` or `=` or line ends: `findUnwritable`. */
export function formatManifest({
  node,
  version = manifestVersion,
  timeout,
  memory,
  program,
  channels,
}: ManifestFile): string {
  return [
    `Node = ${node}`,
    `Version = ${version}`,
    `Timeout = ${timeout}`,
    `Memory = ${memory}`,
    `Program = ${program}`,
    ...channels.map(formatChannel),
    '',
  ].join('\n');
}

function formatChannel({ path, alias, type, etag, limits }: Omit<ManifestChannel, 'line'>): string {
  const { reads, readBytes, writes, writeBytes } = limits;
  return `Channel = ${[path, alias, type, etag ? 1 : 0, reads, readBytes, writes, writeBytes].join(',')}`;
}

/** A character that a path in a manifest cannot have where it is, if there is one. */
export function findUnwritable(value: string): string | undefined {
  return /[,;=\r\n\0]|^\s|\s$/.exec(value)?.[0];
}
