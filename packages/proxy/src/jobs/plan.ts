import { type ContainerPath, isStorageError, type ObjectPath } from '@zerocloud/object-server';
import { type Connection, connectNodes, type ExpandedGroup } from './connections';
import { checkDaemonsApart } from './daemon';
import { type Device, findPayloadDevice, type Group, readGroup } from './description';
import { listingLines } from './devices';
import { badJob, internalParserError, nodeNotRun, notSupported } from './errors';
import { checkTarget, type TargetLimits } from './targets';
import { type JobUrl, pathText, userImage } from './urls';
import { createPattern, findFilled, isWildcard, starsIn } from './wildcards';

/**
 * From a parsed job description to the nodes it asks for. Pure but for the injected listings. Every sentence about a
 * description comes from here or from `description.ts`; the first fault in list order wins. What the description may
 * ask for and this server does not do yet is refused last, when the rest is known to be right.
 */

/** Complete listings in byte order of names; a failing one throws a `StorageError`, a forbidden one an `HttpError`. */
export interface Listings {
  containers(account: string, prefix: string): AsyncIterable<string>;
  objects(account: string, container: string, prefix: string): AsyncIterable<string>;
}

export interface PlanContext {
  account: string;
  /** An archive came with the request and is every node's `image`. */
  hasUserImage: boolean;
  /** The request's body is data, for a device that has no other. */
  hasPayload?: boolean;
  /** URL of the object that the request itself names: stars in it are part of the name. */
  ownObject?: string;
  listings: Listings;
  /** Names of installed system images; asked only when a job mentions a name that could be one. */
  systemImages(): Promise<ReadonlySet<string>>;
  maxNodes: number;
  maxConnections: number;
  targetLimits: TargetLimits;
}

export interface PlannedNode {
  name: string;
  group: Group;
  /** By device of the group: the object it reads or becomes, wildcards resolved. */
  objects: (ObjectPath | undefined)[];
  /** By device as well: the container whose listing it reads; absent when none does. */
  containers?: (ContainerPath | undefined)[];
  /** Index of the device whose object decides where the node runs. */
  local?: number;
}

export interface Plan {
  /** In the order of the response. */
  nodes: PlannedNode[];
  /** Pipes between the nodes. */
  connections: Connection[];
  /** Names of the devices that are system images. */
  imageDevices: ReadonlySet<string>;
  /** Some node reads the payload. */
  usesPayload: boolean;
  /** Of one node, and the same whatever there is in the store. */
  isLasting: boolean;
}

/** Devices of all nodes together: each is kept for each node. */
const maxDevices = 200_000;

export async function planJob(description: unknown, context: PlanContext): Promise<Plan> {
  if (!Array.isArray(description)) throw internalParserError();
  const nodes: PlannedNode[] = [];
  const groups: ExpandedGroup[] = [];
  let devices = 0;
  for (const item of description) {
    const group = readGroup(item, context.account);
    const before = nodes.length;
    const captures = await expand(group, context, nodes, maxDevices - devices);
    groups.push({ group, nodes: nodes.slice(before), captures });
    devices += (nodes.length - before) * group.devices.length;
  }
  const connections = connectNodes(groups, context.maxConnections);
  if (groups.some(({ group }) => group.daemon)) checkDaemonsApart(connections);
  if (nodes.length === 0) throw badJob('Config parser cannot resolve any job nodes');
  checkNames(nodes);
  for (const { group } of groups) refuseUnsupported(group);
  const imageDevices = new Set<string>();
  for (const one of groups) await checkData(one.group, one.nodes[0]!.name, context, imageDevices);
  const usesPayload = context.hasPayload === true && groups.some(({ group }) => findPayloadDevice(group) !== undefined);
  const isLasting = nodes.length === 1 && groups.every(({ captures }) => captures === undefined);
  return { nodes: inResponseOrder(nodes), connections, imageDevices, usesPayload, isLasting };
}

/** Appends the group's nodes; returns what the stars of their wildcards took. `deviceRoom`: devices the nodes may have. */
async function expand(
  group: Group,
  context: PlanContext,
  nodes: PlannedNode[],
  deviceRoom: number,
): Promise<string[][] | undefined> {
  const matched = await findMatches(group, context, context.maxNodes - nodes.length);
  const size = matched?.size ?? group.count;
  if (nodes.length + size > context.maxNodes) throw tooManyNodes(context);
  if (size * group.devices.length > deviceRoom) throw badJob(`Too many devices in job: at most ${maxDevices}`);
  const suffixed = matched !== undefined || size > 1;
  const local = chooseLocal(group);
  const stars = matched?.captures[0]?.length ?? 0;
  checkOutputs(group, matched !== undefined, stars, size);
  for (let index = 0; index < size; index++) {
    const name = suffixed ? `${group.name}-${index + 1}` : group.name;
    let wildcard = 0;
    let containers: (ContainerPath | undefined)[] | undefined;
    const objects = group.devices.map((device, at) => {
      if (device.kind?.access === 'read') {
        const path =
          isReadUrl(device.url) && isWildcardUrl(device.url, context) ? matched?.paths[wildcard++]?.[index] : undefined;
        if (device.url?.kind === 'object') return (path as ObjectPath | undefined) ?? device.url.path;
        if (device.url?.kind !== 'container') return undefined;
        containers ??= [];
        containers[at] = path ?? device.url.path;
        return undefined;
      }
      if (device.url?.kind !== 'object' || device.kind?.access !== 'write') return undefined;
      const path = fillTarget(device.url.path, matched?.captures[index], name);
      checkTarget(path, device, context.targetLimits);
      return path;
    });
    nodes.push({ name, group, objects, containers, local });
  }
  return matched?.captures;
}

/** An object, or a container whose listing is read. */
type ReadPath = ContainerPath & { object?: string };
type ReadUrl = JobUrl & { kind: 'object' | 'container' };

function isReadUrl(url: JobUrl | undefined): url is ReadUrl {
  return url?.kind === 'object' || url?.kind === 'container';
}

interface Matches {
  /** Number of matches, and so of nodes. */
  size: number;
  /** By wildcard device, then by node. */
  paths: ReadPath[][];
  /** By node: what the stars of the last wildcard device took. */
  captures: string[][];
}

async function findMatches(group: Group, context: PlanContext, room: number): Promise<Matches | undefined> {
  const paths: ReadPath[][] = [];
  let captures: string[][] = [];
  for (const device of group.devices) {
    if (device.kind?.access !== 'read' || !isReadUrl(device.url) || !isWildcardUrl(device.url, context)) continue;
    const found: ReadPath[] = [];
    captures = [];
    for await (const match of matchObjects(device.url.path, context.listings)) {
      if (found.length === room) throw tooManyNodes(context);
      found.push(match.path);
      captures.push(match.captures);
    }
    if (found.length === 0) throw badJob(`No objects found in path ${device.url.url}`);
    paths.push(found);
  }
  if (paths.length === 0) return undefined;
  const size = captures.length;
  if (paths.some((found) => found.length !== size)) {
    throw badJob(`Wildcards of node ${group.name} match different numbers of objects`);
  }
  return { size, paths, captures };
}

async function* matchObjects(
  path: ReadPath,
  listings: Listings,
): AsyncGenerator<{ path: ReadPath; captures: string[] }> {
  if (path.object === undefined) {
    for await (const [container, captures] of matchContainers(path, listings)) {
      yield { path: { account: path.account, container }, captures };
    }
    return;
  }
  const objects = createPattern(path.object);
  for await (const [container, outer] of matchContainers(path, listings)) {
    const names = listings.objects(path.account, container, objects.prefix);
    const failure = `Error querying object server for container: ${container}`;
    for await (const name of orRefuse(names, failure)) {
      if (name.endsWith('/')) continue;
      const inner = objects.match(name);
      if (inner) yield { path: { account: path.account, container, object: name }, captures: [...outer, ...inner] };
    }
  }
}

async function* matchContainers(path: ContainerPath, listings: Listings): AsyncGenerator<[string, string[]]> {
  if (!isWildcard(path.container)) return yield [path.container, []];
  const pattern = createPattern(path.container);
  const names = listings.containers(path.account, pattern.prefix);
  for await (const name of orRefuse(names, `Error querying object server for account: ${path.account}`)) {
    const captures = pattern.match(name);
    if (captures) yield [name, captures];
  }
  return undefined;
}

async function* orRefuse(names: AsyncIterable<string>, sentence: string): AsyncGenerator<string> {
  try {
    yield* names;
  } catch (error) {
    // A storage node that is away is no fault of the description.
    throw isStorageError(error) && error.code !== 'unavailable' ? badJob(sentence) : error;
  }
}

function isWildcardUrl(url: ReadUrl, { ownObject }: PlanContext): boolean {
  if (url.url === ownObject) return false;
  return isWildcard(url.path.container) || (url.kind === 'object' && isWildcard(url.path.object));
}

/** The checks that need the number of nodes and captures, in the order of ZeroCloud's parser. */
function checkOutputs(group: Group, matched: boolean, captures: number, size: number): void {
  for (const device of group.devices) {
    if (device.kind?.access !== 'write') continue;
    if (device.url === undefined) {
      if (device.kind.returned) continue;
      throw badJob(`Immediate response is not available for device ${device.name}`);
    }
    if (device.url.kind === 'node') {
      if (starsIn(device.url.device) > captures) throw badJob(`Cannot resolve wildcard for node ${group.name}`);
      continue;
    }
    if (device.url.kind !== 'object') continue;
    const stars = starsIn(device.url.path.container) + starsIn(device.url.path.object);
    if (matched && stars > captures) {
      throw badJob(`Wildcards in input cannot be resolved into output path ${device.url.url}`);
    }
    if (stars === 0 && size > 1) {
      throw badJob(`Single path ${device.url.url} for multiple node definition: ${group.name}, please use wildcard`);
    }
  }
}

function fillTarget(path: ObjectPath, captures: string[] | undefined, node: string): ObjectPath {
  const inContainer = starsIn(path.container);
  const inObject = starsIn(path.object);
  if (inContainer + inObject === 0) return path;
  const texts = captures ?? new Array<string>(inContainer + inObject).fill(node);
  return {
    account: path.account,
    container: findFilled(path.container, texts) ?? path.container,
    object: findFilled(path.object, texts.slice(inContainer)) ?? path.object,
  };
}

/**
 * The device whose object decides the location: readable ones with a path first, the last declared leading (as the
 * reference has it), tar images after them, `script` only for want of another; else the first writable device.
 */
function chooseLocal(group: Group): number | undefined {
  const { devices } = group;
  const hasObject = (device: Device | undefined) => device?.url?.kind === 'object' || device?.url?.kind === 'container';
  if (group.attach !== 'default') {
    const index = devices.findIndex((device) => device.name === group.attach);
    return hasObject(devices[index]) && devices[index]!.kind?.access !== 'unsupported' ? index : undefined;
  }
  let local: number | undefined;
  let rank = 0;
  devices.forEach((device, index) => {
    if (device.kind?.access !== 'read' || !hasObject(device)) return;
    const deviceRank = device.name === 'script' ? 1 : device.kind.mounted ? 2 : 3;
    if (deviceRank >= rank) [local, rank] = [index, deviceRank];
  });
  if (local !== undefined) return local;
  const output = devices.findIndex((device) => device.kind?.access === 'write' && device.url?.kind !== 'node');
  return hasObject(devices[output]) && group.replicate > 0 ? output : undefined;
}

/** Names head the response's items and the logs, so two nodes cannot share one. */
function checkNames(nodes: PlannedNode[]): void {
  const names = new Set<string>();
  for (const { name } of nodes) {
    if (names.has(name)) throw badJob(`Duplicate node name: ${name}`);
    names.add(name);
  }
}

function refuseUnsupported(group: Group): void {
  for (const device of group.devices) {
    if (device.kind?.access === 'unsupported') throw notSupported(`Device ${device.name} is not supported`);
  }
}

/** What the reference finds out on the node, still before anything runs: data for every device, and a program. */
async function checkData(group: Group, node: string, context: PlanContext, imageDevices: Set<string>): Promise<void> {
  for (const [index, device] of group.devices.entries()) {
    if (device.kind) {
      if (device.kind.access === 'read') checkReadableData(group, index, node, context);
    } else if (device.url === undefined && (await context.systemImages()).has(device.name)) {
      imageDevices.add(device.name);
    } else {
      throw withoutData(node, device);
    }
  }
  await checkProgram(group, node, context);
}

function checkReadableData(group: Group, index: number, node: string, context: PlanContext): void {
  const device = group.devices[index]!;
  if (device.url?.kind === 'container') {
    // As in ZeroCloud, where a container's database is only read where it lies. An image is mounted, which it cannot be.
    if (chooseLocal(group) !== index || device.kind?.mounted) {
      throw containerReference(node, pathText(device.url.path));
    }
    if (group.devices.some(({ name }) => name === listingLines(device.name))) {
      throw badJob(`Duplicate device name: ${listingLines(device.name)} in ${node}`);
    }
    return;
  }
  if (device.url || device.name === 'stdin') return;
  if (context.hasPayload && findPayloadDevice(group) === device.name) return;
  if (device.name === userImage && context.hasUserImage) return;
  throw withoutData(node, device);
}

async function checkProgram(group: Group, node: string, context: PlanContext): Promise<void> {
  const { program } = group;
  if (program.kind === 'container') throw containerReference(node, pathText(program.path));
  if (program.kind !== 'image') return;
  const found =
    program.image === userImage
      ? context.hasUserImage || group.devices.some((device) => device.name === userImage && device.url)
      : (await context.systemImages()).has(program.image);
  if (!found || program.member === '') throw nodeNotRun(node, 400, 'No executable found in request');
}

function withoutData(node: string, device: Device): Error {
  return nodeNotRun(node, 400, `Could not resolve channel path "${device.url?.url ?? ''}" for device: ${device.name}`);
}

function containerReference(node: string, path: string): Error {
  return nodeNotRun(node, 400, `Cannot use container ${path} as a remote object reference`);
}

function tooManyNodes(context: PlanContext): Error {
  return badJob(`Too many nodes in job: at most ${context.maxNodes}`);
}

/** Groups in order, instances by index; the first node of every `location` leads. */
function inResponseOrder(nodes: PlannedNode[]): PlannedNode[] {
  if (!nodes.some(({ group }) => group.location)) return nodes;
  const seen = new Set<string>();
  const leading = new Set<PlannedNode>();
  for (const node of nodes) {
    const { location } = node.group;
    if (location === undefined || seen.has(location)) continue;
    seen.add(location);
    leading.add(node);
  }
  return [...leading, ...nodes.filter((node) => !leading.has(node))];
}
