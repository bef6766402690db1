import { statSync } from 'node:fs';
import { type OpenChannel, openChannel } from '../channels/open-channel';
import { ChannelState, createChannelState } from '../channels/state';
import type { RootFs } from '../images/root-fs';
import type { SystemImage } from '../session';
import type { SessionRequest } from './protocol';

/**
 * Lays images and mounts of a session into its root. Channels that show images are added to `archives`, to be finished after
 * the session.
 */
export function mountSession(
  root: RootFs,
  { program, systemImages, mounts }: SessionRequest,
  images: ReadonlyMap<string, SystemImage>,
  archives: OpenChannel[],
): void {
  for (const name of systemImages) {
    const image = images.get(name);
    if (image?.mounted) mountImage(root, image, archives);
  }
  for (const { kind, source, mountPoint } of mounts) {
    if (kind === 'tar') root.mountTar(source, mountPoint);
    else if (source.kind === 'file') root.mountDirectory(source.path, mountPoint);
  }
  const library = program.kind === 'system-image' ? images.get(program.image)?.library : undefined;
  if (library !== undefined) root.mountDirectory(library);
}

/** A directory is laid in as it is; a tar is laid in and shown as `/dev/<name>`. */
function mountImage(root: RootFs, { name, path }: SystemImage, archives: OpenChannel[]): void {
  if (statSync(path).isDirectory()) {
    root.mountDirectory(path);
    return;
  }
  const source = { kind: 'file' as const, path };
  root.mountTar(source);
  const state = new ChannelState(createChannelState({ writable: false }));
  const channel = openChannel({ ...imageChannel, name: `/dev/${name}`, source }, state);
  archives.push(channel);
  root.addChannel(channel);
}

const imageChannel = {
  type: 3 as const,
  limits: { reads: Infinity, readBytes: Infinity, writes: 0, writeBytes: 0 },
  fileType: 'block' as const,
  etag: false,
};
