import type { FileType } from '@zerocloud/sandbox';
import { checkDaemon, readDaemon } from './daemon';
import { type DeviceKind, deviceKinds, findFurtherInput } from './devices';
import { badJob, internalParserError } from './errors';
import { findJobUrl, type JobUrl } from './urls';
import { starsIn } from './wildcards';

/**
 * One group of a job description, read and checked. The checks come in the order of ZeroCloud's parser and speak its
 * sentences; what needs listings or other groups is checked later, in `plan.ts`.
 */
export interface Group {
  name: string;
  program: JobUrl;
  /** argv[0] and SCRIPT_NAME; absent: the node's name. */
  programName?: string;
  /** Unsplit argument string. */
  args: string;
  env: Record<string, string>;
  devices: Device[];
  count: number;
  /** Modules of the program's application that are imported once for many jobs. */
  daemon?: string[];
  connect?: string[];
  replicate: number;
  /** `default`, or the device whose object decides where the node runs. */
  attach: string;
  location?: string;
}

export interface Device {
  name: string;
  /** Absent for a name outside the device table without a path: a system image, or a mistake. */
  kind?: DeviceKind;
  url?: JobUrl;
  contentType?: string;
  meta: Record<string, string>;
  fileType: FileType;
  minSizeBytes: number;
}

const payloadDevices = new Set(['stdin', 'input', 'script']);

/** Name of the device that reads the request's payload: the first that may and has no path. */
export function findPayloadDevice({ devices }: Group): string | undefined {
  return devices.find(({ name, url }) => url === undefined && payloadDevices.has(name))?.name;
}

// U+0001–U+001F and U+007F as in ZeroCloud; NUL too, because it would cut the text short inside the guest.
const forbiddenText = /[\u0000-\u001f\u007f]|\p{Noncharacter_Code_Point}|\p{Surrogate}/u;
const plainText = /^[\x20-\x7e]*$/;
const fileTypes: ReadonlySet<string> = new Set<FileType>(['file', 'char', 'pipe', 'block']);

/** ZeroCloud's manual knows 0 to 3. */
const maxReplicas = 3;

/** As of file names, which names of nodes become. They stand in the answer once for each of its nodes. */
const maxNameBytes = 255;

/** What each star took is kept for every match. */
const maxStars = 100;

export function readGroup(value: unknown, account: string): Group {
  const json = asObject(value);
  const name = readName(json.name);
  if (json.exec === undefined || json.exec === null || isEmptyObject(json.exec)) {
    throw badJob(`Must specify exec stanza for ${name}`);
  }
  const exec = asObject(json.exec);
  const program = readProgram(exec, name, account);
  const args = optionalString(exec.args) ?? '';
  const env = readEnv(exec.env, name);
  if (isForbidden(program.url) || isForbidden(args) || /\\x00/.test(args)) {
    throw badJob(`Invalid nexe property for ${name}`);
  }
  const programName = optionalString(exec.name) || undefined;
  if (programName !== undefined && isForbidden(programName)) throw badJob(`Invalid nexe property for ${name}`);
  const count = readCount(json.count);
  const devices = readDevices(json.devices, json.file_list, name, account);
  const daemon = readDaemon(exec.daemon, name);
  const group = {
    name,
    program,
    programName,
    args,
    env,
    devices,
    count,
    ...(daemon && { daemon }),
    connect: readConnect(json.connect),
    replicate: readReplicate(json.replicate),
    attach: optionalString(json.attach) || 'default',
    location: optionalString(json.location) || undefined,
  };
  if (daemon) checkDaemon(group);
  return group;
}

/** The common case first: the full pattern is slow. */
function isForbidden(text: string): boolean {
  return !plainText.test(text) && forbiddenText.test(text);
}

function readName(value: unknown): string {
  const name = optionalString(value);
  if (!name) throw badJob('Must specify node name');
  if (isForbidden(name) || Buffer.byteLength(name) > maxNameBytes) throw badJob('Invalid node name');
  return name;
}

function readProgram(exec: Record<string, unknown>, node: string, account: string): JobUrl {
  const path = optionalString(exec.path);
  const url = path ? findJobUrl(path, account) : undefined;
  if (url?.kind === 'node') throw badJob(`Executable path cannot be a zvm path in ${node}`);
  if (url === undefined || url.kind === 'network' || url.kind === 'cache' || url.kind === 'account') {
    throw badJob(`Must specify executable path for ${node}`);
  }
  return url;
}

/** Empty text, null, false and 0 do not set a variable, as in ZeroCloud; `"0"` does. */
function readEnv(value: unknown, node: string): Record<string, string> {
  // Without prototype, so that even `__proto__` is a name like any other.
  const env: Record<string, string> = Object.create(null);
  if (value === undefined || value === null) return env;
  for (const [name, item] of Object.entries(asObject(value))) {
    if (!item) continue;
    const text = typeof item === 'object' ? jsonOf(item) : String(item);
    // Newlines and the like are data here; a NUL would end the variable early, a lone surrogate is no UTF-8.
    if (name === '' || name.includes('=') || isForbidden(name) || /\0|\p{Surrogate}/u.test(text)) {
      throw badJob(`Invalid nexe property for ${node}`);
    }
    env[name] = text;
  }
  return env;
}

function readCount(value: unknown): number {
  if (value === undefined) return 1;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  const shown = typeof value === 'string' ? value : jsonOf(value);
  throw badJob(`Invalid node count: ${shown.slice(0, 100)}`);
}

function readConnect(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw internalParserError();
  return value.map((name) => optionalString(name) ?? fail());
}

function readReplicate(value: unknown): number {
  if (value === undefined || value === null) return 1;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw internalParserError();
  if (value > maxReplicas) throw badJob(`Invalid replicate: ${value}`);
  return value;
}

/** The old name `file_list` wins over `devices`, and `device` over `name`, as in ZeroCloud. */
function readDevices(devices: unknown, fileList: unknown, node: string, account: string): Device[] {
  const list = fileList ?? devices ?? [];
  if (!Array.isArray(list)) throw internalParserError();
  const seen = new Set<string>();
  return list.map((item) => {
    const device = readDevice(asObject(item), node, account);
    if (seen.has(device.name)) throw badJob(`Duplicate device name: ${device.name} in ${node}`);
    seen.add(device.name);
    return device;
  });
}

function readDevice(json: Record<string, unknown>, node: string, account: string): Device {
  const name = optionalString(json.device) || optionalString(json.name);
  if (name && isForbidden(name)) throw badJob(`Bad device name: ${name} in ${node}`);
  if (!name) throw badJob(`Must specify device for file in ${node}`);
  const path = optionalString(json.path);
  // Not even a store could tell such names from others.
  if (path && /\0|\p{Surrogate}/u.test(path)) throw internalParserError();
  if (path && starsIn(path) > maxStars) throw badJob(`Too many wildcards in path: at most ${maxStars}`);
  const kind = deviceKinds.get(name) ?? (path ? findFurtherInput(name) : undefined);
  const url = path ? findJobUrl(path, account) : undefined;
  if (path && kind?.access === 'read') checkReadable(url, node);
  if (path && kind?.access === 'write') checkWritable(url);
  if (path && !url) throw internalParserError();
  const contentType = optionalString(json.content_type)?.trim() || undefined;
  if (contentType !== undefined && isForbidden(contentType)) throw internalParserError();
  const mode = optionalString(json.mode) || 'file';
  if (!fileTypes.has(mode)) throw internalParserError();
  const minSizeBytes = json.min_size ?? 0;
  if (typeof minSizeBytes !== 'number' || !Number.isSafeInteger(minSizeBytes) || minSizeBytes < 0) {
    throw internalParserError();
  }
  return { name, kind, url, contentType, meta: readMeta(json.meta), fileType: mode as FileType, minSizeBytes };
}

function checkReadable(url: JobUrl | undefined, node: string): void {
  switch (url?.kind) {
    case 'object':
    case 'container':
      if (url.path.account.includes('*')) throw badJob(`Invalid path: ${url.url}`);
      return;
    case 'account':
      throw badJob(`Invalid path ${url.url} in ${node}`);
    default:
      throw badJob('Readable device must be a swift object');
  }
}

function checkWritable(url: JobUrl | undefined): void {
  switch (url?.kind) {
    case 'container':
    case 'account':
      throw badJob('Container path must be read-only');
    case 'object':
      if (url.path.account.includes('*')) throw badJob(`Invalid path: ${url.url}`);
      return;
    case 'node':
      return;
    default:
      throw internalParserError();
  }
}

function readMeta(value: unknown): Record<string, string> {
  const meta: Record<string, string> = Object.create(null);
  if (value === undefined || value === null) return meta;
  for (const [name, item] of Object.entries(asObject(value))) {
    if (item === null || typeof item === 'object') throw internalParserError();
    meta[name] = String(item);
  }
  return meta;
}

/** Lists in lists in lists can be read as deep as they come, but not written again. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) throw internalParserError();
    throw error;
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw internalParserError();
  return value as Record<string, unknown>;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function optionalString(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw internalParserError();
  return value;
}

function fail(): never {
  throw internalParserError();
}
