import type {
  ContainerPath,
  MessageForm,
  MessageRules,
  NodeChannel,
  NodeProgram,
  NodeSession,
  NodeSource,
  ObjectPath,
} from '@zerocloud/object-server';
import type { FileType } from '@zerocloud/sandbox';
import type { JobLimits, SwiftLimits } from '../config';
import type { OutputRooms } from '../quotas/output-rooms';
import { splitArguments } from './arguments';
import type { DeniedOutput } from './authorise';
import { type Device, findPayloadDevice, type Group } from './description';
import { deviceKinds, listingLines, standardDevices } from './devices';
import type { PlannedNode } from './plan';
import { userImage } from './urls';

/** What all nodes of a job share. */
export interface Job {
  account: string;
  transactionId: string;
  timestamp: string;
  /** CGI variables. */
  env: Record<string, string>;
  /** The archive or script that came with the request. */
  image?: NodeSource;
  /** The request's body, if it is data. */
  payload?: NodeSource;
  imageDevices: ReadonlySet<string>;
  limits: JobLimits;
  /** What quotas leave for outputs. */
  rooms?: OutputRooms;
  /** Bounds of the metadata that messages set. */
  messageLimits: MessageLimits;
}

/** Ends of a node's connections. */
export interface NodeEnds {
  /** `spilled`: the writer has ended before, and this holds what it wrote, if it came that far. */
  inputs: { device: string; spilled?: { stagedId?: string } }[];
  /** `spillBytes`: the reader runs later, and so many bytes may lie on disk until then; one at least. */
  outputs: { device: string; fileType: FileType; spillBytes?: number }[];
}

export type MessageLimits = Omit<MessageRules, 'form' | 'defaultContentType'>;

export function messageLimitsOf(limits: SwiftLimits): MessageLimits {
  const { maxMetaCount, maxMetaNameLength, maxMetaValueLength, maxMetaOverallSize } = limits;
  return { maxMetaCount, maxMetaNameLength, maxMetaValueLength, maxMetaOverallSize };
}

/** ZeroCloud's type of outputs that are part of the response. */
export const returnedContentType = 'text/html';

/** Everything a storage node must know to run one node of the job. */
export function nodeSession(
  node: PlannedNode,
  job: Job,
  denied: DeniedOutput | undefined,
  ends?: NodeEnds,
): NodeSession {
  const { group, name, local } = node;
  const { limits } = job;
  const programName = group.programName ?? name;
  return {
    account: job.account,
    transactionId: job.transactionId,
    name,
    program: programOf(group),
    args: splitArguments(`${programName} ${group.args}`),
    env: environmentOf(group, job.env, programName),
    channels: channelsOf(node, job, denied, ends),
    systemImages: group.devices.flatMap(({ name }) => (job.imageDevices.has(name) ? [name] : [])),
    localDevice: local === undefined ? undefined : group.devices[local]!.name,
    timeoutMs: limits.sessionTimeoutS * 1000,
    memoryBytes: limits.sessionMemoryBytes,
    timestamp: job.timestamp,
    maxProgramBytes: limits.maxProgramBytes,
    maxInputBytes: limits.maxInputBytes,
    ...(limits.prevalidate && { prevalidated: true }),
    ...(group.daemon && { daemon: group.daemon }),
  };
}

/** Assigned, for an object that grows after a spread gets a hidden class of its own each time. */
function environmentOf(group: Group, env: Job['env'], programName: string): Record<string, string> {
  return Object.assign({}, group.env, env, { SCRIPT_NAME: programName, SCRIPT_FILENAME: group.program.url });
}

function programOf({ program }: Group): NodeProgram {
  switch (program.kind) {
    case 'object':
      return { kind: 'source', source: { kind: 'object', path: program.path } };
    case 'image':
      return program.image === userImage
        ? { kind: 'image', path: program.member }
        : { kind: 'system-image', image: program.image, path: program.member };
    default:
      throw new Error(`a plan let ${program.url} pass as program`);
  }
}

/** In channel order: readable devices, writable ones, then the standard devices nobody declared, as null devices. */
function channelsOf(
  node: PlannedNode,
  job: Job,
  denied: DeniedOutput | undefined,
  ends: NodeEnds | undefined,
): NodeChannel[] {
  const { devices } = node.group;
  const payloadDevice = job.payload && findPayloadDevice(node.group);
  const readable: NodeChannel[] = [];
  const writable: NodeChannel[] = [];
  for (const [index, device] of devices.entries()) {
    if (device.url?.kind === 'node') continue;
    const path = node.objects[index];
    const container = node.containers?.[index];
    if (container) readable.push(...listingOf(device, container, job.limits));
    else if (device.kind?.access === 'read') readable.push(inputOf(device, path, job, device.name === payloadDevice));
    else if (device.kind?.access === 'write') {
      const output = outputOf(device, path, job, index === node.local);
      writable.push(denied && index >= denied.device ? { ...output, target: undefined, discard: true } : output);
    }
  }
  if (job.image && !devices.some((device) => device.name === userImage)) {
    const device = { name: userImage, kind: deviceKinds.get(userImage), fileType: 'file' as const };
    readable.push(inputOf(device, undefined, job, false));
  }
  if (ends) {
    for (const input of ends.inputs) readable.push(connectedInput(input, job.limits));
    for (const output of ends.outputs) writable.push(connectedOutput(output, job.limits));
  }
  const channels = [...readable, ...writable];
  for (const device of standardDevices) {
    if (!channels.some((channel) => channel.device === device)) channels.push(nullDevice(device, job.limits));
  }
  return channels;
}

function inputOf(
  { name, kind, fileType }: Pick<Device, 'name' | 'kind' | 'fileType'>,
  path: ObjectPath | undefined,
  job: Job,
  takesPayload: boolean,
): NodeChannel {
  const { type, mounted } = kind!;
  const posted = takesPayload ? job.payload : name === userImage ? job.image : undefined;
  const source: NodeSource | undefined = path ? { kind: 'object', path } : posted;
  return { device: name, type, limits: readLimits(job.limits), fileType, etag: false, source, mounted };
}

/** A container's listing in both its forms. */
function listingOf({ name, kind, fileType }: Device, path: ContainerPath, limits: JobLimits): NodeChannel[] {
  const common = { limits: readLimits(limits), fileType, etag: false };
  return [
    { ...common, device: name, type: kind!.type, source: { kind: 'container', path, form: 'sqlite' } },
    { ...common, device: listingLines(name), type: 3, source: { kind: 'container', path, form: 'json' } },
  ];
}

function outputOf(device: Device, path: ObjectPath | undefined, job: Job, isLocal: boolean): NodeChannel {
  const { limits } = job;
  const channel: NodeChannel = {
    device: device.name,
    type: device.kind!.type,
    limits: writeLimits(limits, path && job.rooms?.bytesFor(path)),
    fileType: device.fileType,
    etag: path === undefined || isLocal,
    minSizeBytes: device.minSizeBytes,
    target: path && {
      path,
      contentType: device.contentType ?? limits.defaultContentType,
      metadata: storedMetadata(device.meta),
    },
  };
  const form = findMessageForm(device.contentType);
  if (form) channel.message = { form, defaultContentType: limits.defaultContentType, ...job.messageLimits };
  return channel;
}

function connectedInput({ device, spilled }: NodeEnds['inputs'][number], limits: JobLimits): NodeChannel {
  const channel: NodeChannel = { device, type: 0, limits: readLimits(limits), fileType: 'pipe', etag: false };
  if (!spilled) return channel;
  const { stagedId: id } = spilled;
  return { ...channel, spill: true, source: id === undefined ? undefined : { kind: 'staged', id } };
}

function connectedOutput(
  { device, fileType, spillBytes }: NodeEnds['outputs'][number],
  limits: JobLimits,
): NodeChannel {
  const channel: NodeChannel = { device, type: 0, limits: writeLimits(limits), fileType, etag: false };
  if (spillBytes === undefined) return channel;
  // A channel without any room would be no channel.
  const writeBytes = Math.max(1, Math.min(channel.limits.writeBytes, spillBytes));
  return { ...channel, spill: true, limits: { ...channel.limits, writeBytes } };
}

/** A content type that begins so makes the output an HTTP message. */
function findMessageForm(contentType: string | undefined): MessageForm | undefined {
  if (!contentType?.startsWith('message/')) return undefined;
  if (contentType.startsWith('message/http')) return 'http';
  return contentType.startsWith('message/cgi') ? 'cgi' : undefined;
}

function nullDevice(device: string, limits: JobLimits): NodeChannel {
  const isInput = device === 'stdin';
  return {
    device,
    type: 0,
    limits: isInput ? readLimits(limits) : writeLimits(limits),
    fileType: 'file',
    etag: false,
    discard: isInput ? undefined : true,
  };
}

function readLimits({ maxIops, maxInputBytes }: JobLimits): NodeChannel['limits'] {
  return { reads: maxIops, readBytes: maxInputBytes, writes: 0, writeBytes: 0 };
}

function writeLimits({ maxIops, maxOutputBytes }: JobLimits, roomBytes = maxOutputBytes): NodeChannel['limits'] {
  return { reads: 0, readBytes: 0, writes: maxIops, writeBytes: Math.min(maxOutputBytes, roomBytes) };
}

/** As a PUT takes it: an underscore becomes a dash. */
function storedMetadata(meta: Record<string, string>): Record<string, string> {
  const metadata: Record<string, string> = {};
  for (const name in meta) metadata[`x-object-meta-${name.toLowerCase().replaceAll('_', '-')}`] = meta[name]!;
  return metadata;
}
