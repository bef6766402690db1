import type { OpenChannel } from '../channels/open-channel';
import type { FileContent } from './file-content';

interface NodeAttributes {
  readonly inode: bigint;
  /** Names of the node. */
  links: number;
  /** Permission bits as in the image; WASI does not show them. */
  mode: number;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
}

export interface DirectoryNode extends NodeAttributes {
  kind: 'directory';
  /** The root is its own parent, so `..` cannot leave it. */
  parent: DirectoryNode;
  entries: Map<string, RootNode>;
  /** `/` and everything below `/dev`: entries cannot be created, removed or renamed (`/` itself only cannot be moved). */
  fixed: boolean;
  /** Host directories whose entries are read when somebody looks, later ones over earlier ones. */
  pending?: string[];
}

export interface FileNode extends NodeAttributes {
  kind: 'file';
  content: FileContent;
  /** Descriptors; the content outlives its last name until they are closed. */
  openCount: number;
}

export interface SymlinkNode extends NodeAttributes {
  kind: 'symlink';
  target: string;
}

export type DeviceName = 'null' | 'zero' | 'full' | 'random';

export interface DeviceNode extends NodeAttributes {
  kind: 'device';
  device: DeviceName;
}

export interface ChannelNode extends NodeAttributes {
  kind: 'channel';
  channel: OpenChannel;
}

export type RootNode = DirectoryNode | FileNode | SymlinkNode | DeviceNode | ChannelNode;
