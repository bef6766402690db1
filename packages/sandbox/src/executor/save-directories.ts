import { IoVectors } from '../channels/io-vectors';
import type { OpenChannel } from '../channels/open-channel';
import type { DirectoryNode } from '../images/nodes';
import type { RootFs } from '../images/root-fs';
import { writeTar } from '../images/write-tar';
import type { LocalOptions } from '../session';

/**
 * The guest has ended: writes directories of its root as archives to channels, within the channels' limits. Returns one
 * sentence if an archive did not fit.
 */
export function saveDirectories(
  root: RootFs,
  channels: readonly OpenChannel[],
  saves: LocalOptions['saves'] = [],
): string | undefined {
  let problem: string | undefined;
  for (const { channel: index, directory } of saves) {
    const channel = channels[index]!;
    const top = findDirectory(root, directory);
    if (top === undefined) {
      problem ??= `${directory} is not a directory any more, and not saved`;
      continue;
    }
    let position = 0;
    for (const piece of writeTar(root, top)) {
      const count = channel.write(piece, IoVectors.of(0, piece.length), position);
      position += Math.max(count, 0);
      if (count === piece.length) continue;
      problem ??= `the archive of ${directory} does not fit the limits of ${channel.spec.name}`;
      break;
    }
  }
  return problem;
}

/** The guest may have put something else in its place. */
function findDirectory(root: RootFs, path: string): DirectoryNode | undefined {
  try {
    const node = root.get(root.root, path, true);
    return node.kind === 'directory' && !node.fixed ? node : undefined;
  } catch {
    return undefined;
  }
}
