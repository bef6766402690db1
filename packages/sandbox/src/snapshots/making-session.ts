import type { Channel, Session } from '../session';

const maxErrorBytes = 16_384;

/** Where the copy is written; no channel of the guest. */
export const copyChannelName = '/dev/copy';
const standardNames = ['/dev/stdin', '/dev/stdout', '/dev/stderr'];

/**
 * The session that makes the copy: the images and the program of the application's session, its standard channels with
 * nothing in them, and none of its arguments, variables and objects, but those that say where modules are.
 */
export function makingSession(session: Session, maxBytes: number): Session {
  const { env, channels, daemon } = session;
  const own: Record<string, string> = {};
  for (const name of pathVariables) if (env[name] !== undefined) own[name] = env[name];
  const none = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };
  const standard = standardNames.map((name): Channel => {
    const { type = 0, fileType = 'file' } = channels.find((channel) => channel.name === name) ?? {};
    const limits =
      name === '/dev/stdin'
        ? { ...none, reads: 1000, readBytes: 1 }
        : { ...none, writes: 100_000, writeBytes: name === '/dev/stderr' ? maxErrorBytes : 2 ** 30 };
    return { name, type: type === 0 ? 0 : type, limits, fileType, etag: false, discard: name === '/dev/stdout' };
  });
  const limits = { ...none, writes: 2 ** 40, writeBytes: 2 ** 40 };
  const copy: Channel = { name: copyChannelName, type: 3, limits, fileType: 'file', etag: false };
  return {
    ...session,
    args: session.args.slice(0, 3),
    env: own,
    channels: [...standard, copy],
    daemon: undefined,
    copy: { kind: 'make', modules: daemon!.modules, maxBytes },
  };
}

/** Variables that decide where an interpreter finds its modules. */
export const pathVariables = ['PYTHONPATH', 'HOME'] as const;
