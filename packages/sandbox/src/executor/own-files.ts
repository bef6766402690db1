import type { RootFs } from '../images/root-fs';
import { formatNvram } from '../nvram/format-nvram';
import type { SessionRequest } from './protocol';

/**
 * What every session finds in `/dev` besides its channels, as in ZeroVM: its program, and its configuration as ZeroVM's guests
 * read it. Neither costs anything until somebody looks. A channel of the same name takes its place.
 */
export function addOwnFiles(root: RootFs, request: SessionRequest, program: () => Uint8Array): void {
  root.addOwnFile('self', program);
  root.addOwnFile('nvram', () => Buffer.from(nvramOf(request)));
}

function nvramOf({ args, env, channels, mounts }: SessionRequest): string {
  const image = channels.find(({ name }) => name === '/dev/image');
  return formatNvram({
    args,
    env,
    mounts: mounts.map(({ mountPoint }) => ({ channel: image?.name ?? '/dev/image', mountPoint, access: 'ro' })),
    mapping: channels.map(({ name, fileType }) => ({ channel: name, mode: fileType })),
  });
}
