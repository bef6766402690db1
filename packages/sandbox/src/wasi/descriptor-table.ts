import type { RootNode } from '../images/nodes';
import { rights } from './abi';
import { errno, WasiError } from './errno';

/** An open file description. Positions are bytes, kept within safe integers. */
export interface Descriptor {
  node: RootNode;
  position: number;
  /** WASI's fdflags. */
  flags: number;
  rightsBase: number;
  rightsInheriting: number;
  canRead: boolean;
  canWrite: boolean;
  /** Guest path of a preopened directory. */
  preopenPath?: string;
  /** Where `fd_readdir` stands. */
  listing?: DirectoryListing;
}

/** A directory listing in progress: the next entry and the cookie it has. */
export interface DirectoryListing {
  nextCookie: bigint;
  next: [string, RootNode] | undefined;
  entries: Iterator<[string, RootNode]>;
}

const maxDescriptors = 1024;

/** Numbers to open files; the lowest free number is given out, at most 1024. */
export class DescriptorTable {
  private readonly slots: (Descriptor | undefined)[] = [];

  get openCount(): number {
    return this.slots.reduce((count, slot) => (slot === undefined ? count : count + 1), 0);
  }

  /** Throws `badf`. */
  get(fd: number): Descriptor {
    const descriptor = this.slots[fd];
    if (descriptor === undefined) throw new WasiError(errno.badf);
    return descriptor;
  }

  find(fd: number): Descriptor | undefined {
    return this.slots[fd];
  }

  /** Some descriptor is open on the node. */
  holds(node: RootNode): boolean {
    return this.slots.some((slot) => slot?.node === node);
  }

  /** Throws `badf`, or `notcapable` if the descriptor lacks the right. */
  getWithRight(fd: number, right: number): Descriptor {
    const descriptor = this.get(fd);
    requireRight(descriptor, right);
    return descriptor;
  }

  /** Throws `mfile` if another descriptor could not be opened. */
  checkRoom(): void {
    if (this.freeSlot() >= maxDescriptors) throw new WasiError(errno.mfile);
  }

  add(descriptor: Descriptor): number {
    this.checkRoom();
    const fd = this.freeSlot();
    this.slots[fd] = descriptor;
    if (descriptor.node.kind === 'file') descriptor.node.openCount++;
    return fd;
  }

  /** Takes the number away from the descriptor, which the caller lets go. Throws `badf`. */
  remove(fd: number): Descriptor {
    const descriptor = this.get(fd);
    this.slots[fd] = undefined;
    return descriptor;
  }

  /** `to` now means what `from` meant; returns what `to` was before. Both must be open. */
  move(from: number, to: number): Descriptor | undefined {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (from === to) return undefined;
    this.slots[to] = moved;
    this.slots[from] = undefined;
    return replaced;
  }

  private freeSlot(): number {
    const free = this.slots.indexOf(undefined);
    return free < 0 ? this.slots.length : free;
  }
}

export function requireRight(descriptor: Descriptor, right: number): void {
  if ((descriptor.rightsBase & right) === 0) throw new WasiError(errno.notcapable);
}

/** A descriptor of a directory that gives `right` (one of the `path…` rights). Throws `badf`, `notdir`, `notcapable`. */
export function getDirectory(table: DescriptorTable, fd: number, right: keyof typeof rights) {
  const descriptor = table.get(fd);
  if (descriptor.node.kind !== 'directory') throw new WasiError(errno.notdir);
  requireRight(descriptor, rights[right]);
  return { descriptor, directory: descriptor.node };
}
