import { errno, WasiError } from '../wasi/errno';
import type { DirectoryNode, RootNode } from './nodes';

const maxSymlinks = 40;
const maxPathBytes = 4096;
const maxNameBytes = 255;

/** Where a path leads. `node` is missing if nothing has that name yet; `name` is empty if the path names no entry (`/`, `..`). */
export interface Location {
  directory: DirectoryNode;
  name: string;
  node: RootNode | undefined;
  /** The path ends in a slash. */
  mustBeDirectory: boolean;
}

interface Walk {
  root: DirectoryNode;
  find(directory: DirectoryNode, name: string): RootNode | undefined;
}

/**
 * Resolves a path as Linux does: symbolic links on the way are followed, the last one if `follow` is set or a slash
 * ends the path. `..` of the root is the root, so nothing leads out. Throws `noent` for a missing directory or an empty path, `notdir`,
 * `loop`, `nametoolong`, `inval` for a NUL.
 */
export function walkPath(walk: Walk, start: DirectoryNode, path: string, follow: boolean): Location {
  if (path === '') throw new WasiError(errno.noent);
  if (path.includes('\0')) throw new WasiError(errno.inval);
  let directory = start;
  let mustBeDirectory = false;
  let symlinks = 0;
  const rest: string[] = [];
  const push = (text: string): void => {
    if (text.length > maxPathBytes || Buffer.byteLength(text) > maxPathBytes) throw new WasiError(errno.nametoolong);
    if (text.startsWith('/')) directory = walk.root;
    const parts = text.split('/');
    const last = parts[parts.length - 1];
    if (rest.length === 0 && (last === '' || last === '.')) mustBeDirectory = true;
    for (let i = parts.length - 1; i >= 0; i--) {
      if (parts[i] !== '' && parts[i] !== '.') rest.push(parts[i]!);
    }
  };
  push(path);
  for (;;) {
    const name = rest.pop();
    if (name === undefined) return { directory, name: '', node: directory, mustBeDirectory };
    if (name === '..') {
      directory = directory.parent;
      continue;
    }
    if (name.length * 3 > maxNameBytes && Buffer.byteLength(name) > maxNameBytes) {
      throw new WasiError(errno.nametoolong);
    }
    const node = walk.find(directory, name);
    const isLast = rest.length === 0;
    if (node?.kind === 'symlink' && (!isLast || follow || mustBeDirectory)) {
      if (++symlinks > maxSymlinks) throw new WasiError(errno.loop);
      if (node.target === '') throw new WasiError(errno.noent);
      push(node.target);
      continue;
    }
    if (isLast) {
      if (mustBeDirectory && node !== undefined && node.kind !== 'directory') throw new WasiError(errno.notdir);
      return { directory, name, node, mustBeDirectory };
    }
    if (node === undefined) throw new WasiError(errno.noent);
    if (node.kind !== 'directory') throw new WasiError(errno.notdir);
    directory = node;
  }
}
