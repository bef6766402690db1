import type { ChannelLimits, ChannelType, FileType, InheritedChannel, InheritedFile } from '../session';

/** Where a readable channel's bytes are, as seen by the executor process: in the message, a file in its slot, or open already. */
export type ChannelSource = { kind: 'bytes'; data: Uint8Array } | { kind: 'file'; path: string } | InheritedFile;

/** A channel as the executor gets it. Everything in it survives `postMessage`. */
export interface ChannelSpec {
  name: string;
  type: ChannelType;
  limits: ChannelLimits;
  fileType: FileType;
  /** Keep an md5: of the content (writable channels) or of the bytes read, in call order (read-only ones). */
  etag: boolean;
  /**
   * What a readable channel reads; absent: end of file at once. Its file may lose its name once the channel is open,
   * unless the channel is writable too: then the name is needed until the output has been collected.
   */
  source?: ChannelSource;
  /** Writable channels: file in the slot that takes the output once it is too large for the shared buffer. Created if it is not there. */
  spillPath?: string;
  /** Writable channels: count what is written, keep nothing. */
  discard?: boolean;
  /** Takes the place of `source`, `spillPath` and `discard`. */
  inherited?: InheritedChannel;
  /** The channel is an end of this pipe (`createRing`) between two sessions of one executor; the direction tells which. */
  pipe?: SharedArrayBuffer;
}

/** The direction follows from the limits, as in a ZeroVM manifest: open if both calls and bytes are allowed. */
export function isReadable({ limits }: Pick<ChannelSpec, 'limits'>): boolean {
  return limits.reads > 0 && limits.readBytes > 0;
}

export function isWritable({ limits }: Pick<ChannelSpec, 'limits'>): boolean {
  return limits.writes > 0 && limits.writeBytes > 0;
}

/** Types 1 and 3 read at any offset. */
export function readsRandomly({ type }: Pick<ChannelSpec, 'type'>): boolean {
  return type === 1 || type === 3;
}

/** Types 2 and 3 write at any offset; types 0 and 1 write behind what is there. */
export function writesRandomly({ type }: Pick<ChannelSpec, 'type'>): boolean {
  return type === 2 || type === 3;
}

/** ZeroVM's sentence on a combination of type and limits that no channel can have (`src/channels/preload.c`), or undefined. */
export function findChannelProblem(spec: Pick<ChannelSpec, 'name' | 'type' | 'limits'>): string | undefined {
  const { reads, readBytes, writes, writeBytes } = spec.limits;
  if ([reads, readBytes, writes, writeBytes].some((limit) => !(limit >= 0))) return `negative limits for ${spec.name}`;
  if (!isReadable(spec) && !isWritable(spec)) return `${spec.name} has neither reads nor writes`;
  if (isReadable(spec) && isWritable(spec)) {
    if (spec.type === 0) return 'sequential channels cannot have r/w access';
    if (spec.type === 2) return 'sequential read / random write channels not supported';
  }
  return undefined;
}
