import { errno, WasiError } from '../wasi/errno';
import { Budget } from './budget';
import { FileContent } from './file-content';
import type { DirectoryNode, FileNode, RootNode, SymlinkNode } from './nodes';
import { type Location, walkPath } from './path-walk';

export interface RootTreeOptions {
  /** Bytes that the guest may write into files of the root (256 MiB). Files of images cost nothing until they are written. */
  maxBytes?: number;
  /** Files, directories and links, those of images included (200,000). */
  maxNodes?: number;
}

/** An in-memory tree of directories, files and links with POSIX rules and a budget. Operations throw `WasiError`. */
export class RootTree {
  readonly root: DirectoryNode;
  protected readonly budget: Budget;
  private nextInode = 1n;
  private now: () => bigint = () => BigInt(Date.now()) * 1_000_000n;

  constructor({ maxBytes = 256 * 1024 * 1024, maxNodes = 200_000 }: RootTreeOptions = {}) {
    this.budget = new Budget(maxBytes, maxNodes);
    this.root = this.newDirectory(undefined, 0o755);
  }

  /** Times of changes come from the guest's clock from now on. */
  useClock(now: () => bigint): void {
    this.now = now;
  }

  // Looking

  resolve(start: DirectoryNode, path: string, follow: boolean): Location {
    return walkPath(this, start, path, follow);
  }

  /** The node at a path that must exist. Throws `noent`. */
  get(start: DirectoryNode, path: string, follow: boolean): RootNode {
    const { node } = this.resolve(start, path, follow);
    if (node === undefined) throw new WasiError(errno.noent);
    return node;
  }

  find(directory: DirectoryNode, name: string): RootNode | undefined {
    return this.entriesOf(directory).get(name);
  }

  entriesOf(directory: DirectoryNode): ReadonlyMap<string, RootNode> {
    if (directory.pending !== undefined) this.loadPending(directory, directory.pending);
    return directory.entries;
  }

  // Changing

  createFile(at: Location): FileNode {
    this.checkNewName(at);
    if (at.mustBeDirectory) throw new WasiError(errno.isdir);
    const node = this.newFile(0o644);
    this.setEntry(at.directory, at.name, node);
    return node;
  }

  createDirectory(at: Location): void {
    this.checkNewName(at);
    this.setEntry(at.directory, at.name, this.newDirectory(at.directory, 0o755));
  }

  createSymlink(target: string, at: Location): void {
    if (target === '' || target.includes('\0')) throw new WasiError(target === '' ? errno.noent : errno.inval);
    if (Buffer.byteLength(target) > 4096) throw new WasiError(errno.nametoolong);
    this.checkNewName(at);
    if (at.mustBeDirectory) throw new WasiError(errno.noent);
    if (!this.budget.takeBytes(target.length)) throw new WasiError(errno.nospc);
    const node: SymlinkNode = { kind: 'symlink', target, ...this.newAttributes(0o777) };
    this.setEntry(at.directory, at.name, node);
  }

  createLink(node: RootNode, at: Location): void {
    if (node.kind === 'directory' || node.kind === 'channel' || node.kind === 'device') throw new WasiError(errno.perm);
    this.checkNewName(at);
    if (at.mustBeDirectory) throw new WasiError(errno.noent);
    node.links++;
    this.setEntry(at.directory, at.name, node);
  }

  unlink({ directory, name, node, mustBeDirectory }: Location): void {
    if (node === undefined) throw new WasiError(errno.noent);
    if (node.kind === 'directory') throw new WasiError(directory.fixed ? errno.perm : errno.isdir);
    if (mustBeDirectory) throw new WasiError(errno.notdir);
    this.checkRemovable(directory, node);
    this.removeEntry(directory, name);
    this.dropLink(node);
  }

  removeDirectory({ directory, name, node }: Location): void {
    if (node === undefined) throw new WasiError(errno.noent);
    if (node.kind !== 'directory') throw new WasiError(errno.notdir);
    if (name === '') throw new WasiError(errno.inval);
    this.checkRemovable(directory, node);
    if (this.entriesOf(node).size > 0) throw new WasiError(errno.notempty);
    this.removeEntry(directory, name);
    this.dropLink(node);
  }

  rename(from: Location, to: Location): void {
    const { node } = from;
    if (node === undefined) throw new WasiError(errno.noent);
    if (from.name === '' || to.name === '') throw new WasiError(errno.inval);
    this.checkRemovable(from.directory, node);
    this.checkChangeable(to.directory);
    if (to.node === node) return;
    if (node.kind === 'directory') {
      if (isInside(to.directory, node)) throw new WasiError(errno.inval);
      if (to.node !== undefined && to.node.kind !== 'directory') throw new WasiError(errno.notdir);
    } else {
      if (to.node?.kind === 'directory') throw new WasiError(errno.isdir);
      if (to.mustBeDirectory) throw new WasiError(errno.notdir);
    }
    if (to.node?.kind === 'directory') this.removeDirectory(to);
    else if (to.node !== undefined) this.unlink(to);
    this.removeEntry(from.directory, from.name);
    this.setEntry(to.directory, to.name, node);
    if (node.kind === 'directory') node.parent = to.directory;
    node.changedNs = this.now();
  }

  /** A descriptor of the file was closed. */
  closeFile(node: FileNode): void {
    node.openCount--;
    this.releaseUnused(node);
  }

  touch(node: RootNode): void {
    node.modifiedNs = node.changedNs = this.now();
  }

  // Entries and nodes

  private checkNewName({ directory, name, node }: Location): void {
    if (name === '' || node !== undefined) throw new WasiError(errno.exist);
    this.checkChangeable(directory);
  }

  /** `/dev` stays as it is; a directory that was removed while open takes nothing new. */
  private checkChangeable(directory: DirectoryNode): void {
    if (directory.fixed) throw new WasiError(errno.perm);
    if (directory.links === 0) throw new WasiError(errno.noent);
  }

  private checkRemovable(directory: DirectoryNode, node: RootNode): void {
    if (directory.fixed || node.kind === 'channel' || node.kind === 'device') throw new WasiError(errno.perm);
    if (node.kind === 'directory' && (node.fixed || node === this.root)) throw new WasiError(errno.perm);
  }

  private setEntry(directory: DirectoryNode, name: string, node: RootNode): void {
    directory.entries.set(name, node);
    this.touch(directory);
  }

  private removeEntry(directory: DirectoryNode, name: string): void {
    directory.entries.delete(name);
    this.touch(directory);
  }

  protected dropLink(node: RootNode): void {
    node.links--;
    node.changedNs = this.now();
    if (node.kind === 'file') this.releaseUnused(node);
    else if (node.links === 0) {
      if (node.kind === 'symlink') this.budget.takeBytes(-node.target.length);
      this.budget.releaseNode();
    }
  }

  private releaseUnused(node: FileNode): void {
    if (node.links > 0 || node.openCount > 0) return;
    node.content.release();
    this.budget.releaseNode();
  }

  /** To be spread behind the node's other members: an object that grows after a spread gets a hidden class of its own each time. */
  protected attributes(mode: number): Omit<RootNode, 'kind'> {
    const now = this.now();
    return { inode: this.nextInode++, links: 1, mode, accessedNs: now, modifiedNs: now, changedNs: now };
  }

  protected newAttributes(mode: number): Omit<RootNode, 'kind'> {
    if (!this.budget.takeNode()) throw new WasiError(errno.nospc);
    return this.attributes(mode);
  }

  protected newDirectory(parent: DirectoryNode | undefined, mode: number): DirectoryNode {
    const node = { kind: 'directory', entries: new Map(), fixed: false, ...this.newAttributes(mode) } as unknown;
    (node as DirectoryNode).parent = parent ?? (node as DirectoryNode);
    return node as DirectoryNode;
  }

  protected newFile(mode: number, slice?: ConstructorParameters<typeof FileContent>[1]): FileNode {
    const content = new FileContent(this.budget, slice);
    return { kind: 'file', content, openCount: 0, ...this.newAttributes(mode) };
  }

  protected addDirectory(parent: DirectoryNode, name: string, mode: number): DirectoryNode {
    const node = this.newDirectory(parent, mode);
    parent.entries.set(name, node);
    return node;
  }

  /** Reads the entries that were left for later; here there are none. */
  protected loadPending(directory: DirectoryNode, _paths: string[]): void {
    directory.pending = undefined;
  }
}

function isInside(directory: DirectoryNode, ancestor: DirectoryNode): boolean {
  for (let at = directory; ; at = at.parent) {
    if (at === ancestor) return true;
    if (at === at.parent) return false;
  }
}
