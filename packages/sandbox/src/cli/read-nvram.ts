import { readSync } from 'node:fs';
import { SessionError, sessionCode } from '../manifest/session-error';
import { maxNvramBytes, type Nvram } from '../nvram/nvram';
import { parseNvram } from '../nvram/parse-nvram';
import type { OpenedChannels } from './open-channels';

/** The guest's configuration, from the file behind `/dev/nvram`; without that channel there is none. Throws `SessionError`. */
export function readNvram(channels: OpenedChannels): Nvram {
  const found = channels.find('/dev/nvram');
  if (!found) return parseNvram('');
  if (found.kind !== 'file') throw new SessionError('/dev/nvram is not a regular file', sessionCode.fault);
  if (found.sizeBytes > maxNvramBytes) throw new SessionError('/dev/nvram is too large', sessionCode.fault);
  const bytes = Buffer.alloc(found.sizeBytes);
  const length = bytes.length === 0 ? 0 : readSync(found.fd, bytes, 0, bytes.length, 0);
  return parseNvram(bytes.toString('utf8', 0, length));
}
