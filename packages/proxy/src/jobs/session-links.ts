import type { NodeSession, NodeSource, StorageNode } from '@zerocloud/object-server';
import { followLinks } from '../symlinks/follow';
import type { Rights } from './rights';

/**
 * The session with every symlink it reads replaced by what that stands for, which the caller must be allowed to read.
 * Only asked for when a node found one: objects that are none cost no look-up.
 */
export async function withoutLinks(
  session: NodeSession,
  node: Pick<StorageNode, 'findObject'>,
  rights: Pick<Rights, 'demand'>,
  maxLinks: number,
): Promise<NodeSession> {
  const look: Parameters<typeof followLinks>[0] = async (path) => {
    await rights.demand(path, 'read');
    return node.findObject(path);
  };
  const follow = async (source: NodeSource): Promise<NodeSource> => {
    if (source.kind !== 'object') return source;
    const start = { path: source.path, record: await node.findObject(source.path) };
    // One that leads nowhere is left for the node to say so.
    return { kind: 'object', path: (await followLinks(look, start, { maxLinks })).path };
  };
  const { program } = session;
  // All at once and waited for together: one that fails while another is waited for would be a failure that nobody hears of.
  const [followed, channels] = await Promise.all([
    program.kind === 'source' ? follow(program.source) : undefined,
    Promise.all(
      session.channels.map(async (channel) =>
        channel.source ? { ...channel, source: await follow(channel.source) } : channel,
      ),
    ),
  ]);
  return { ...session, program: followed ? { kind: 'source', source: followed } : program, channels };
}
