import type { ChannelSource } from '../channels/channel-spec';
import type { OpenChannel } from '../channels/open-channel';
import { type OpenSource, openSource } from '../channels/open-source';
import { BytesAccess } from '../channels/random-access';
import { SandboxError } from '../errors';
import { errno, WasiError } from '../wasi/errno';
import { type HostEntry, HostFiles, readHostDirectory } from './host-files';
import type { ChannelNode, DeviceNode, DirectoryNode, FileNode, RootNode, SymlinkNode } from './nodes';
import { RootTree, type RootTreeOptions } from './root-tree';
import { readTarIndex, type TarEntry } from './tar';

const devices = { null: 'null', zero: 'zero', full: 'full', random: 'random', urandom: 'random' } as const;

/**
 * The file system that a guest sees: in memory, writable, gone with the session. Images are laid into it and their
 * files read where they are until the guest writes to its copy; `/dev` shows the channels and cannot be changed.
 * Mounting throws `SandboxError`, operations for guests `WasiError`.
 */
export class RootFs extends RootTree {
  private readonly hostFiles = new HostFiles();
  private readonly archives: OpenSource[] = [];

  constructor(options: RootTreeOptions = {}) {
    super(options);
    const dev = this.addDirectory(this.root, 'dev', 0o755);
    for (const [name, device] of Object.entries(devices)) {
      const node: DeviceNode = { kind: 'device', device, ...this.attributes(0o666) };
      dev.entries.set(name, node);
    }
    dev.fixed = true;
    this.addDirectory(this.root, 'tmp', 0o1777);
  }

  /** Lays a plain tar over what is at `mountPoint`. Throws `bad-image`, `image-too-large`, `source-not-found`. */
  mountTar(archive: ChannelSource, mountPoint = '/'): void {
    const source = openSource(archive, 'an image');
    this.archives.push(source);
    const base = this.makeMountPoint(mountPoint);
    for (const entry of readTarIndex(source.content)) this.unpack(base, entry, source);
  }

  /** Lays a trusted directory of the host over what is at `mountPoint`; its entries are read when somebody looks. */
  mountDirectory(path: string, mountPoint = '/'): void {
    const base = this.makeMountPoint(mountPoint);
    leavePending(base, path);
  }

  /** Shows a channel under its name, with the directories that it needs. */
  addChannel(channel: OpenChannel): void {
    const parts = channel.spec.name.split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop();
    if (name === undefined || parts.includes('..')) throw new Error(`invalid channel name ${channel.spec.name}`);
    const directory = this.makeDirectories(this.root, parts, true);
    const node: ChannelNode = { kind: 'channel', channel, ...this.attributes(0o666) };
    this.replace(directory, name, node);
  }

  /** A file in `/dev` whose bytes are asked for when somebody looks. */
  addOwnFile(name: string, read: () => Uint8Array): void {
    const node = this.newFile(0o444, () => {
      const bytes = read();
      return { source: new BytesAccess(bytes), offset: 0, sizeBytes: bytes.byteLength };
    });
    (this.find(this.root, 'dev') as DirectoryNode).entries.set(name, node);
  }

  /** Closes the archives and host files behind the tree; call it when the guest has ended. */
  close(): void {
    this.hostFiles.close();
    for (const archive of this.archives) archive.close();
    this.archives.length = 0;
  }

  /** The directory at a path, made if it is missing. Throws `bad-image` for one that cannot be. */
  makeMountPoint(mountPoint: string): DirectoryNode {
    const parts = mountPoint.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw new SandboxError('bad-image', 'a mount point must not contain ..');
    const directory = this.makeDirectories(this.root, parts, false);
    if (directory.fixed) throw new SandboxError('bad-image', 'nothing can be mounted below /dev');
    return directory;
  }

  private unpack(base: DirectoryNode, entry: TarEntry, archive: OpenSource): void {
    const parts = entry.path === '' ? [] : entry.path.split('/');
    const name = parts.pop();
    const directory = this.makeDirectories(base, parts, false);
    // A symbolic link of the image may lead to /dev, which is not the image's to change.
    if (directory.fixed) return;
    let node: RootNode;
    if (name === undefined || entry.kind === 'directory') {
      node = name === undefined ? base : this.makeDirectories(directory, [name], false);
      node.mode = entry.mode;
    } else if (entry.kind === 'hardlink') {
      node = this.hardLinkTarget(base, entry);
      if (this.find(directory, name) === node) return;
      node.links++;
      this.replace(directory, name, node);
    } else {
      node = this.withinLimits(() => this.imageNode(entry, archive));
      this.replace(directory, name, node);
    }
    node.accessedNs = node.modifiedNs = node.changedNs = entry.modifiedNs;
  }

  private imageNode(entry: TarEntry, archive: OpenSource): RootNode {
    const { kind, offset, sizeBytes, linkTarget, mode } = entry;
    if (kind === 'file') return this.newFile(mode, { source: archive.content, offset, sizeBytes });
    if (!this.budget.takeBytes(linkTarget.length)) throw new WasiError(errno.nospc);
    return { kind: 'symlink', target: linkTarget, ...this.newAttributes(mode) };
  }

  private hardLinkTarget(base: DirectoryNode, entry: TarEntry): FileNode | SymlinkNode {
    let node: RootNode | undefined;
    try {
      node = this.resolve(base, `./${entry.linkTarget}`, false).node;
    } catch {
      node = undefined;
    }
    if (node?.kind === 'file' || node?.kind === 'symlink') return node;
    throw new SandboxError('bad-image', 'a hard link in the tar archive has no target');
  }

  /** Goes down a path, through symbolic links, making directories of what is missing or in the way. */
  private makeDirectories(base: DirectoryNode, parts: string[], forChannel: boolean): DirectoryNode {
    let directory = base;
    for (const part of parts) {
      const node = this.find(directory, part);
      const target = node?.kind === 'symlink' ? this.findBehind(directory, part) : node;
      if (target?.kind === 'directory') {
        directory = target;
      } else if (directory.fixed && !forChannel) {
        return directory;
      } else {
        const made = this.withinLimits(() => this.newDirectory(directory, 0o755));
        made.fixed = directory.fixed;
        this.replace(directory, part, made);
        directory = made;
      }
    }
    return directory;
  }

  private findBehind(directory: DirectoryNode, name: string): RootNode | undefined {
    try {
      return this.resolve(directory, name, true).node;
    } catch {
      return undefined;
    }
  }

  /** Puts a node under a name; whatever had the name goes, directories with all that is in them. */
  private replace(directory: DirectoryNode, name: string, node: RootNode): void {
    const old = this.find(directory, name);
    directory.entries.set(name, node);
    if (old !== undefined && old !== node) this.dropTree(old);
  }

  private dropTree(top: RootNode): void {
    const rest = [top];
    for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
      if (node.kind === 'directory') {
        rest.push(...node.entries.values());
        node.entries.clear();
        node.pending = undefined;
      }
      if (node.kind !== 'channel' && node.kind !== 'device') this.dropLink(node);
    }
  }

  protected override loadPending(directory: DirectoryNode, paths: string[]): void {
    directory.pending = undefined;
    for (const path of paths) {
      for (const entry of readHostDirectory(path)) this.addHostEntry(directory, entry);
    }
  }

  private addHostEntry(directory: DirectoryNode, entry: HostEntry): void {
    const old = directory.entries.get(entry.name);
    if (directory === this.root && entry.name === 'dev') return;
    let node: RootNode;
    if (entry.kind === 'directory') {
      node = old?.kind === 'directory' ? old : this.newDirectory(directory, entry.mode);
      leavePending(node, entry.path);
    } else if (entry.kind === 'symlink') {
      node = { kind: 'symlink', target: entry.linkTarget, ...this.newAttributes(entry.mode) };
    } else {
      const source = this.hostFiles.file(entry.path, entry.sizeBytes);
      node = this.newFile(entry.mode, { source, offset: 0, sizeBytes: entry.sizeBytes });
    }
    node.accessedNs = node.modifiedNs = node.changedNs = entry.modifiedNs;
    directory.entries.set(entry.name, node);
    if (old !== undefined && old !== node) this.dropTree(old);
  }

  private withinLimits<T>(make: () => T): T {
    try {
      return make();
    } catch (error) {
      if (error instanceof WasiError) throw new SandboxError('image-too-large', 'the images hold too many files');
      throw error;
    }
  }
}

function leavePending(directory: DirectoryNode, path: string): void {
  directory.pending ??= [];
  directory.pending.push(path);
}
