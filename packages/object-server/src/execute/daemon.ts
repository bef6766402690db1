import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { ByteSource, DaemonApplication } from '@zerocloud/sandbox';
import { pathVariables } from '@zerocloud/sandbox/snapshots/making-session';
import type { NodeSession } from '../storage-node';
import { pathOfStaged } from './local-environment';
import type { OpenedSource } from './opened-sources';

/**
 * Which application a node belongs to, if a copy of it is to be kept: its name says where the application lies, its key
 * everything on which the copy depends, the bytes of its archive above all. Applications that were posted have no place, and
 * are known by their bytes alone.
 */
export async function daemonOf(
  request: NodeSession,
  image: OpenedSource | undefined,
): Promise<DaemonApplication | undefined> {
  const { program, daemon: modules, args, env, channels, systemImages } = request;
  if (modules === undefined || program.kind !== 'system-image') return undefined;
  const source = channels.find(({ device }) => device === 'image')?.source;
  const identity = image && (await identityOf(source?.kind, image));
  const path = source?.kind === 'object' ? source.path : pathOfStaged(source);
  const place = path ? `/${path.account}/${path.container}/${path.object}` : `posted ${identity ?? ''}`;
  const standard = ['stdin', 'stdout', 'stderr'].map((name) => {
    const channel = channels.find(({ device }) => device === name);
    return channel && [channel.type, channel.fileType];
  });
  const variables = pathVariables.map((name) => env[name]);
  // Where the program is found decides where its modules are looked for.
  const script = args[1]?.startsWith('-') ? args[1] : args[1]?.slice(0, args[1].lastIndexOf('/') + 1);
  const parts = [program, modules, script, systemImages, standard, variables];
  const details = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return {
    name: `${place} ${modules.join(' ')} ${details.slice(0, 16)}`,
    place,
    key: `${identity} ${details}`,
    modules,
  };
}

/** Stored bodies have an identity for life; posted ones are known by what they are. */
function identityOf(kind: string | undefined, { identity, source }: OpenedSource): string | Promise<string> {
  if (kind === 'object' && identity !== undefined) return identity;
  let digest = digests.get(source);
  if (!digest) {
    digest = digestOf(source);
    digests.set(source, digest);
  }
  return digest;
}

/** A posted archive is the same value for all nodes of its job, and is read once for all of them. */
const digests = new WeakMap<ByteSource, Promise<string>>();

async function digestOf(source: ByteSource): Promise<string> {
  const hash = createHash('sha256');
  if (source.kind === 'bytes') hash.update(source.data);
  else
    for await (const chunk of createReadStream(source.path, { highWaterMark: 256 * 1024 }))
      hash.update(chunk as Buffer);
  return hash.digest('hex');
}
