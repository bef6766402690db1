import type { Channel, Mount, Program, Session } from '@zerocloud/sandbox';
import { StorageError } from '../errors';
import type { NodeChannel, NodeSession } from '../storage-node';
import { daemonOf } from './daemon';
import { pathOfStaged, withLocalEnvironment } from './local-environment';
import type { ObjectFiles, OpenedSource, OpenedSources } from './opened-sources';
import { isFoundValid } from './validation';

/** Turns a node of a job into a session: opens what it reads, checks it, and says in the guest's terms what it may do. */
export async function prepareSession(
  request: NodeSession,
  sources: OpenedSources,
  store: ObjectFiles,
): Promise<Session> {
  const inputs = await openInputs(request, sources);
  const mounts: Mount[] = [];
  const channels: Channel[] = [];
  let image: UserImage | undefined;
  for (let index = 0; index < request.channels.length; index++) {
    const channel = request.channels[index]!;
    const input = inputs.channels[index];
    channels.push(toChannel(channel, input?.source));
    if (!channel.mounted || !input) continue;
    if (channel.device === 'image') image = { mount: mounts.length, identity: input.identity, input };
    mounts.push({ kind: 'tar', source: input.source, mountPoint: '/' });
  }
  const local = request.channels.findIndex(({ device }) => device === request.localDevice);
  const localChannel = request.channels[local];
  if (localChannel) await checkLocal(localChannel, sources, store);
  return {
    tenant: request.account,
    program: toProgram(request, inputs, image),
    args: request.args,
    env: localChannel ? withLocalEnvironment(request.env, localChannel, inputs.channels[local]) : request.env,
    channels,
    mounts,
    systemImages: request.systemImages,
    timeoutMs: request.timeoutMs,
    memoryBytes: request.memoryBytes,
    ...(request.daemon && { daemon: await daemonOf(request, image?.input) }),
  };
}

/** A local output must have its container; what policy the container has is part of the report. */
async function checkLocal({ source, target }: NodeChannel, sources: OpenedSources, store: ObjectFiles): Promise<void> {
  const isStored = source?.kind === 'object' || source?.kind === 'container';
  const path = target?.path ?? (isStored ? source.path : pathOfStaged(source));
  if (!path) return;
  const found = await store.findContainer(path);
  sources.policy = found?.policy;
  if (found || !target) return;
  const { account, container, object } = target.path;
  throw new StorageError('containerNotFound', `Error while fetching /${account}/${container}/${object}`);
}

interface Inputs {
  program?: OpenedSource;
  /** By channel. */
  channels: (OpenedSource | undefined)[];
}

/** Opens everything at once; the first failure in channel order, then the program's, is the one reported. */
async function openInputs(request: NodeSession, sources: OpenedSources): Promise<Inputs> {
  const { channels, program, maxInputBytes, maxProgramBytes } = request;
  const indexes: number[] = [];
  const openings: Promise<OpenedSource>[] = [];
  channels.forEach((channel, index) => {
    if (!channel.source) return;
    const local = channel.device === request.localDevice;
    const image = channel.mounted ? { maxBytes: maxInputBytes } : undefined;
    indexes.push(index);
    openings.push(sources.open(channel.source, { local, image, maxListingBytes: maxInputBytes }));
  });
  if (program.kind === 'source') {
    openings.push(sources.open(program.source, { local: false, maxListingBytes: maxInputBytes }));
  }
  const opened = await allOpened(openings);
  const inputs: Inputs = { program: program.kind === 'source' ? opened.pop() : undefined, channels: [] };
  opened.forEach((one, at) => {
    inputs.channels[indexes[at]!] = one;
  });
  if (inputs.program && inputs.program.sizeBytes > maxProgramBytes) {
    throw new StorageError('programTooLarge', `Program is larger than ${maxProgramBytes} bytes`);
  }
  sources.isProgramFoundValid = isFoundValid(inputs.program?.record);
  checkInputs(request, inputs);
  return inputs;
}

/** All must have settled before anything is closed, or a late one would stay open for ever. */
async function allOpened(openings: Promise<OpenedSource>[]): Promise<OpenedSource[]> {
  const opened: OpenedSource[] = [];
  let failure: { reason: unknown } | undefined;
  // A later one that fails while an earlier one is waited for is no rejection that nobody handles.
  for (let i = 1; i < openings.length; i++) openings[i]!.catch(ignore);
  for (const opening of openings) {
    try {
      opened.push(await opening);
    } catch (reason) {
      failure ??= { reason };
    }
  }
  if (failure) throw failure.reason;
  return opened;
}

function ignore(): void {}

function checkInputs(request: NodeSession, { program, channels }: Inputs): void {
  let remoteBytes = program?.sizeBytes ?? 0;
  for (let index = 0; index < channels.length; index++) {
    const channel = channels[index];
    if (!channel) continue;
    if (request.channels[index]!.spill) continue;
    if (request.channels[index]!.device !== request.localDevice) remoteBytes += channel.sizeBytes;
    else if (channel.sizeBytes > request.maxInputBytes) {
      throw new StorageError('inputTooLarge', 'Data object too large');
    }
  }
  if (remoteBytes > request.maxInputBytes) throw new StorageError('inputTooLarge', 'RPC request too large');
}

function toChannel(channel: NodeChannel, source: Channel['source']): Channel {
  const { device, type, limits, fileType, discard } = channel;
  // A stored output needs its md5 anyway; taken while writing, it saves reading the file again.
  const etag = channel.etag || channel.target !== undefined;
  return { name: `/dev/${device}`, type, limits, fileType, etag, source, discard };
}

interface UserImage {
  mount: number;
  identity?: string;
  input: OpenedSource;
}

function toProgram({ program }: NodeSession, inputs: Inputs, image: UserImage | undefined): Program {
  switch (program.kind) {
    case 'source':
      return { kind: 'module', source: inputs.program!.source, cacheKey: inputs.program!.identity };
    case 'system-image':
      return program;
    case 'image': {
      if (image === undefined) throw new StorageError('programNotFound', 'No executable found in request');
      const { mount, identity } = image;
      return { kind: 'mount', mount, path: program.path, cacheKey: identity && `${identity}/${program.path}` };
    }
  }
}
