import {
  type NodeChannel,
  type NodeSession,
  type NodeSource,
  type ObjectPath,
  type OpenObject,
  type StagedBody,
  StorageError,
} from '@zerocloud/object-server';
import type { Deps } from '../context';
import { openDynamic } from '../large-objects/dynamic-object';
import type { LargeObject } from '../large-objects/large-object';
import { openStatic } from '../large-objects/static-object';
import { contentMetadata, isManifest, isStatic } from '../large-objects/stored-manifest';
import type { Rights } from './rights';

/** Tars of this type are inflated before they are mounted, see the storage node. */
const gzipType = 'application/x-gzip';

/**
 * The session with every large object it reads replaced by its content, which is put together on the storage node for this
 * session: a program can read anywhere in it, at the price of a copy. The caller must be allowed to read the segments. Ids
 * of what is staged are added to `staged`, to be released. Only asked for when a node found a manifest.
 */
export async function withoutManifests(
  session: NodeSession,
  deps: Deps,
  rights: Pick<Rights, 'demand'>,
  staged: string[],
): Promise<NodeSession> {
  const { program } = session;
  const channels: NodeChannel[] = [];
  for (const channel of session.channels) {
    const isLocal = channel.device === session.localDevice;
    channels.push(
      channel.source ? { ...channel, source: await put(channel.source, channel.mounted, isLocal) } : channel,
    );
  }
  return {
    ...session,
    program: program.kind === 'source' ? { kind: 'source', source: await put(program.source) } : program,
    channels,
  };

  async function put(source: NodeSource, isMounted = false, isLocal = false): Promise<NodeSource> {
    if (source.kind !== 'object') return source;
    const { path } = source;
    const manifest = await deps.node.openObject(path);
    if (!manifest || !isManifest(manifest.record)) {
      manifest?.close();
      return source;
    }
    const whole = await openWhole(path, manifest);
    const { isEndless, quotesEtag: _, ...record } = whole.record;
    const maxBytes = session.maxInputBytes;
    if (!isEndless && record.sizeBytes > maxBytes) {
      throw new StorageError('inputTooLarge', isLocal ? 'Data object too large' : 'RPC request too large');
    }
    const inflate = isMounted && record.contentType.split(';', 1)[0]!.trim() === gzipType;
    const { id, sizeBytes } = await stage(whole, { maxBytes, inflate });
    staged.push(id);
    const told = { ...record, metadata: contentMetadata(record.metadata), sizeBytes };
    return { kind: 'staged', id, standsFor: { path, record: told } };
  }

  async function stage(whole: LargeObject, limits: { maxBytes: number; inflate: boolean }): Promise<StagedBody> {
    let failure: unknown;
    const noted = async function* () {
      try {
        yield* bytesOf(whole);
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    try {
      return await deps.node.stageBody(noted(), limits);
    } catch (error) {
      // A segment that is not what it was says more than a body that ended early.
      throw failure ?? error;
    }
  }

  async function openWhole({ account }: ObjectPath, manifest: OpenObject): Promise<LargeObject> {
    const demand = (target: Parameters<Rights['demand']>[0]) => rights.demand(target, 'read');
    try {
      return await (isStatic(manifest.record)
        ? openStatic(deps, demand, account, manifest)
        : openDynamic(deps, demand, account, manifest.record));
    } finally {
      manifest.close();
    }
  }
}

async function* bytesOf(object: OpenObject): AsyncGenerator<Uint8Array> {
  const body = await object.read();
  if (Buffer.isBuffer(body)) yield body;
  else yield* body as AsyncIterable<Buffer>;
}
