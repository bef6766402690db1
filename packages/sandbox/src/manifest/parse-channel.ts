import { findChannelProblem } from '../channels/channel-spec';
import type { ChannelType } from '../session';
import type { ManifestChannel } from './manifest';
import { findInteger, type ManifestLine } from './read-lines';
import { SessionError, sessionCode } from './session-error';

const fieldCount = 8;

/** `<uri>,<alias>,<type>,<etag>,<gets>,<get_size>,<puts>,<put_size>`. Throws `SessionError`. */
export function parseChannel({ number: line, value }: ManifestLine): ManifestChannel {
  const fail = (text: string, code: SessionError['code'] = sessionCode.fault): never => {
    throw new SessionError(`MANIFEST ${line}: ${text}`, code);
  };
  const fields = value.split(',').map((field) => field.trim());
  if (fields.length !== fieldCount) fail('invalid channel tokens number');
  const [uri, alias, ...rest] = fields as [string, string, ...string[]];
  const numbers = rest.map(findInteger);
  if (numbers.some((number) => number === undefined)) fail('invalid channel numeric token');
  const [type, etag, reads, readBytes, writes, writeBytes] = numbers as number[];
  if (type! < 0 || type! > 3 || (etag !== 0 && etag !== 1)) fail('invalid channel numeric token');
  if (!isAlias(alias)) fail('invalid channel name');
  const channel: ManifestChannel = {
    line,
    path: uri,
    alias,
    type: type as ChannelType,
    etag: etag === 1,
    limits: { reads: reads!, readBytes: readBytes!, writes: writes!, writeBytes: writeBytes! },
  };
  if (Object.values(channel.limits).some((limit) => limit < 0)) fail(`negative limits for ${alias}`);
  checkUri(uri, fail);
  const problem = findChannelProblem({ ...channel, name: alias });
  if (problem !== undefined) fail(problem, sessionCode.invalid);
  return channel;
}

function checkUri(uri: string, fail: (text: string, code?: SessionError['code']) => never): void {
  if (uri === '' || uri.includes('\0')) fail('invalid channel url');
  if (uri.includes(';')) fail('replicated channels are not supported', sessionCode.notSupported);
  if (/^(tcp|udp|opaque):/.test(uri)) fail('network channels are not supported', sessionCode.notSupported);
  if (!uri.startsWith('/')) fail('only absolute path channels are allowed');
}

/** An absolute path that names something: the guest finds the channel there. */
function isAlias(alias: string): boolean {
  if (!alias.startsWith('/') || alias.includes('\0') || alias.length > 4096) return false;
  return alias
    .slice(1)
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
}
