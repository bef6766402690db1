import { isIPv4 } from 'node:net';
import { type Manifest, type ManifestChannel, manifestLimits, manifestVersion, standardAliases } from './manifest';
import { parseChannel } from './parse-channel';
import { findInteger, type ManifestLine, readLines } from './read-lines';
import { SessionError, sessionCode } from './session-error';

/** Keywords that may stand once. Unknown ones are ignored, as ZeroVM does. */
const singleKeys = ['Version', 'Program', 'Memory', 'Timeout', 'NameServer', 'Node', 'Job', 'Etag'] as const;
type SingleKey = (typeof singleKeys)[number];

/**
 * Reads a manifest of version 20130611 (`src/main/manifest.c`). Throws `SessionError` with ZeroVM's sentence and exit
 * code; the first error wins.
 */
export function parseManifest(text: string): Manifest {
  const found = new Map<SingleKey, ManifestLine>();
  const channels: ManifestChannel[] = [];
  for (const line of readLines(text)) {
    if (line.key === 'Channel') {
      channels.push(parseChannel(line));
      if (channels.length >= manifestLimits.channels) {
        throw new SessionError('channels number reached maximum', sessionCode.tooManyChannels);
      }
    } else if (isSingleKey(line.key)) {
      if (found.has(line.key)) throw new SessionError(`duplicate ${line.key} keyword`, sessionCode.fault);
      found.set(line.key, line);
      checkLine(line);
    }
  }
  const version = found.get('Version');
  const program = found.get('Program');
  const memory = found.get('Memory');
  const timeout = found.get('Timeout');
  if (!version) throw notSpecified('Version');
  if (!program || program.value === '') throw notSpecified('Program');
  if (!memory) throw notSpecified('Memory');
  if (!timeout) throw notSpecified('Timeout');
  if (found.has('NameServer') && !found.has('Node')) throw notSpecified('Node');
  checkChannels(channels);
  const node = found.get('Node');
  const nameServer = found.get('NameServer');
  const job = found.get('Job');
  return {
    program: program.value,
    ...parseMemory(memory),
    timeoutS: parseTimeout(timeout),
    channels,
    ...(node && { node: parseNode(node) }),
    ...(nameServer && { nameServer: parseNameServer(nameServer) }),
    ...(job && { job: job.value }),
  };
}

function isSingleKey(key: string): key is SingleKey {
  return (singleKeys as readonly string[]).includes(key);
}

function fail({ number }: ManifestLine, text: string): never {
  throw new SessionError(`MANIFEST ${number}: ${text}`, sessionCode.fault);
}

function notSpecified(what: string): SessionError {
  return new SessionError(`${what} not specified`, sessionCode.fault);
}

/** What can be said of a line by itself. */
function checkLine(line: ManifestLine): void {
  if (line.key === 'Version' && line.value !== manifestVersion) fail(line, 'invalid manifest version');
  if (line.key === 'Memory') parseMemory(line);
  if (line.key === 'Timeout') parseTimeout(line);
  if (line.key === 'Node') parseNode(line);
  if (line.key === 'NameServer') parseNameServer(line);
  if (line.key === 'Job' && Buffer.byteLength(line.value) > manifestLimits.jobBytes) fail(line, 'too long Job name');
}

function parseMemory(line: ManifestLine): Pick<Manifest, 'memoryBytes' | 'memoryEtag'> {
  const fields = line.value.split(',').map((field) => field.trim());
  const memoryBytes = findInteger(fields[0]!);
  if (fields.length > 2 || memoryBytes === undefined) fail(line, 'invalid memory token');
  if (fields[1] !== '0' && fields[1] !== '1') fail(line, 'invalid memory etag token');
  if (memoryBytes <= 0 || memoryBytes > manifestLimits.memoryBytes) {
    throw new SessionError('invalid memory size', sessionCode.outOfMemory);
  }
  if (memoryBytes < manifestLimits.minMemoryBytes) {
    throw new SessionError('user heap size is too small', sessionCode.outOfMemory);
  }
  return { memoryBytes, memoryEtag: fields[1] === '1' };
}

function parseTimeout(line: ManifestLine): number {
  const seconds = findInteger(line.value);
  if (seconds === undefined) fail(line, `invalid numeric value '${line.value}'`);
  if (seconds < 1) throw new SessionError(`invalid timeout ${seconds}`, sessionCode.fault);
  return seconds;
}

function parseNode(line: ManifestLine): number {
  const node = findInteger(line.value);
  if (node === undefined || node < 1) fail(line, `invalid numeric value '${line.value}'`);
  return node;
}

/** `udp:<ip>:<port>`. Only network channels would ask it. */
function parseNameServer(line: ManifestLine): NonNullable<Manifest['nameServer']> {
  const [protocol, host = '', portText = '', ...more] = line.value.split(':');
  if (protocol !== 'udp' || more.length > 0) fail(line, 'invalid channel url');
  const port = findInteger(portText);
  if (!isIPv4(host) || port === undefined || port < 1 || port > 65_535) fail(line, 'malformed ip token');
  return { host, port };
}

/** The standard ones are there, and no two share a place in the guest. */
function checkChannels(channels: readonly ManifestChannel[]): void {
  if (channels.length === 0) throw notSpecified('Channel');
  const aliases = new Set<string>();
  const directories = new Set<string>();
  for (const { alias, line } of channels) {
    if (aliases.has(alias)) throw new SessionError(`MANIFEST ${line}: duplicate channel ${alias}`, sessionCode.fault);
    aliases.add(alias);
    for (let end = alias.lastIndexOf('/'); end > 0; end = alias.lastIndexOf('/', end - 1)) {
      directories.add(alias.slice(0, end));
    }
  }
  for (const { alias, line } of channels) {
    // A name in the guest is a channel or a directory of channels; `/dev` and the devices in it are taken.
    if (directories.has(alias) || ['/dev', '/tmp'].includes(alias)) {
      throw new SessionError(`MANIFEST ${line}: invalid channel name`, sessionCode.fault);
    }
  }
  for (const alias of standardAliases) if (!aliases.has(alias)) throw notSpecified(alias);
}
