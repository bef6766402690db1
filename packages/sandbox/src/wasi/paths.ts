import type { Location } from '../images/path-walk';
import { lookupFlags, type rights } from './abi';
import type { HostContext } from './context';
import { getDirectory } from './descriptor-table';
import { errno } from './errno';
import { setTimes, writeFilestat } from './filestat';

/** Everything on names but `path_open`. */
export function pathFunctions(context: HostContext) {
  const { memory, descriptors, root } = context;

  const locate = (fd: number, right: keyof typeof rights, path: number, pathLength: number, lookup = 0): Location => {
    const { directory } = getDirectory(descriptors, fd, right);
    return root.resolve(directory, memory.text(path, pathLength), (lookup & lookupFlags.symlinkFollow) !== 0);
  };

  return {
    path_create_directory(fd: number, path: number, pathLength: number): number {
      root.createDirectory(locate(fd, 'pathCreateDirectory', path, pathLength));
      return errno.success;
    },

    path_remove_directory(fd: number, path: number, pathLength: number): number {
      root.removeDirectory(locate(fd, 'pathRemoveDirectory', path, pathLength));
      return errno.success;
    },

    path_unlink_file(fd: number, path: number, pathLength: number): number {
      root.unlink(locate(fd, 'pathUnlinkFile', path, pathLength));
      return errno.success;
    },

    path_rename(fromFd: number, from: number, fromLength: number, toFd: number, to: number, toLength: number): number {
      const source = locate(fromFd, 'pathRenameSource', from, fromLength);
      root.rename(source, locate(toFd, 'pathRenameTarget', to, toLength));
      return errno.success;
    },

    path_link(
      fromFd: number,
      lookup: number,
      from: number,
      fromLength: number,
      toFd: number,
      to: number,
      toLength: number,
    ): number {
      const { node } = locate(fromFd, 'pathLinkSource', from, fromLength, lookup);
      if (node === undefined) return errno.noent;
      root.createLink(node, locate(toFd, 'pathLinkTarget', to, toLength));
      return errno.success;
    },

    path_symlink(target: number, targetLength: number, fd: number, path: number, pathLength: number): number {
      const text = memory.text(target, targetLength);
      root.createSymlink(text, locate(fd, 'pathSymlink', path, pathLength));
      return errno.success;
    },

    /** A target that does not fit is cut, as by readlink(2). */
    path_readlink(fd: number, path: number, pathLength: number, buffer: number, length: number, used: number): number {
      const { node } = locate(fd, 'pathReadlink', path, pathLength);
      if (node === undefined) return errno.noent;
      if (node.kind !== 'symlink') return errno.inval;
      const target = memory.slice(buffer, length);
      const text = Buffer.from(node.target).subarray(0, target.byteLength);
      memory.setUint32(used, text.byteLength);
      target.set(text);
      return errno.success;
    },

    path_filestat_get(fd: number, lookup: number, path: number, pathLength: number, result: number): number {
      const { node } = locate(fd, 'pathFilestatGet', path, pathLength, lookup);
      if (node === undefined) return errno.noent;
      writeFilestat(context, result, node);
      return errno.success;
    },

    path_filestat_set_times(
      fd: number,
      lookup: number,
      path: number,
      pathLength: number,
      accessedNs: bigint,
      modifiedNs: bigint,
      flags: number,
    ): number {
      const { node } = locate(fd, 'pathFilestatSetTimes', path, pathLength, lookup);
      if (node === undefined) return errno.noent;
      setTimes(context, node, accessedNs, modifiedNs, flags);
      return errno.success;
    },
  };
}
