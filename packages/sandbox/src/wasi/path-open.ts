import type { RootNode } from '../images/nodes';
import { allFdFlags, allOpenFlags, directoryRights, fileRights, lookupFlags, openFlags, rights } from './abi';
import type { HostContext } from './context';
import { type Descriptor, getDirectory, requireRight } from './descriptor-table';
import { toRights } from './descriptors';
import { errno, WasiError } from './errno';

/** What a guest wants of `path_open`. */
interface OpenRequest {
  read: boolean;
  write: boolean;
  create: boolean;
  exclusive: boolean;
  directory: boolean;
  truncate: boolean;
}

/**
 * `path_open`. Reading and writing are asked for by the rights. A channel opened against its direction is `acces`;
 * truncating one is fine while it is empty (programs open outputs with mode "w"), real on random writers, else `perm`.
 */
export function pathOpenFunctions(context: HostContext) {
  const { memory, descriptors, root } = context;

  return {
    path_open(
      fd: number,
      lookup: number,
      path: number,
      pathLength: number,
      flags: number,
      base: bigint,
      inheriting: bigint,
      descriptorFlags: number,
      result: number,
    ): number {
      const { descriptor: parent, directory } = getDirectory(descriptors, fd, 'pathOpen');
      const name = memory.text(path, pathLength);
      memory.check(result, 4);
      if (flags >>> 0 > allOpenFlags || descriptorFlags >>> 0 > allFdFlags) return errno.inval;
      const wantedRights = toRights(base) & parent.rightsInheriting;
      const request = toRequest(flags, wantedRights);
      if (request.create && request.directory) return errno.inval;
      if (request.create) requireRight(parent, rights.pathCreateFile);
      descriptors.checkRoom();
      const follow = (lookup & lookupFlags.symlinkFollow) !== 0 && !(request.create && request.exclusive);
      const location = root.resolve(directory, name, follow);
      let { node } = location;
      if (node === undefined) {
        if (!request.create) return errno.noent;
        node = root.createFile(location);
      } else {
        if (request.create && request.exclusive) return errno.exist;
        checkKind(node, request);
        if (request.truncate) truncate(context, node);
      }
      const descriptor: Descriptor = {
        node,
        position: 0,
        flags: descriptorFlags,
        rightsBase: grantedRights(node, request) & parent.rightsInheriting,
        rightsInheriting: toRights(inheriting) & parent.rightsInheriting,
        canRead: request.read,
        canWrite: request.write && node.kind !== 'directory',
      };
      memory.setUint32(result, descriptors.add(descriptor));
      return errno.success;
    },
  };
}

function toRequest(flags: number, wantedRights: number): OpenRequest {
  return {
    read: (wantedRights & rights.fdRead) !== 0,
    write: (wantedRights & rights.fdWrite) !== 0,
    create: (flags & openFlags.create) !== 0,
    exclusive: (flags & openFlags.exclusive) !== 0,
    directory: (flags & openFlags.directory) !== 0,
    truncate: (flags & openFlags.truncate) !== 0,
  };
}

function checkKind(node: RootNode, request: OpenRequest): void {
  if (node.kind === 'symlink') throw new WasiError(errno.loop);
  if (request.directory && node.kind !== 'directory') throw new WasiError(errno.notdir);
  if (node.kind === 'directory') {
    // With O_DIRECTORY the rights are what the descriptor may inherit, not a wish to write into the directory.
    if (request.create || request.truncate || (request.write && !request.directory)) throw new WasiError(errno.isdir);
  } else if (node.kind === 'channel') {
    if (request.read && !node.channel.readable) throw new WasiError(errno.acces);
    if ((request.write || request.truncate) && !node.channel.writable) throw new WasiError(errno.acces);
  }
}

function truncate({ root }: HostContext, node: RootNode): void {
  if (node.kind === 'file') {
    node.content.resize(0);
    root.touch(node);
  } else if (node.kind === 'channel' && node.channel.truncate(0) !== errno.success) {
    throw new WasiError(errno.perm);
  }
}

/**
 * Of the rights asked for only reading and writing count, as in today's other hosts: programs ask for too few of the rest.
 * Streams have no position.
 */
function grantedRights(node: RootNode, { read, write }: OpenRequest): number {
  if (node.kind === 'directory') return directoryRights;
  return fileRights({ read, write, seek: node.kind !== 'channel' || node.channel.seekable });
}
