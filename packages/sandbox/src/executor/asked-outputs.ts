import { isWritable } from '../channels/channel-spec';
import type { Session } from '../session';

/** Throws unless the reply names the session's writable channels, in their order: anything else is no reply of ours. */
export function demandAskedOutputs({ channels }: Session, outputs: readonly { name: string }[]): void {
  const names = channels.filter(isWritable).map(({ name }) => name);
  if (String(outputs.map(({ name }) => name)) !== String(names)) throw new Error('outputs that were not asked for');
}
