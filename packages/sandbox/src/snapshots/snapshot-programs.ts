import { closeSync } from 'node:fs';
import type { ChannelSource } from '../channels/channel-spec';
import { readFully } from '../channels/random-access';
import { SandboxError } from '../errors';
import { heldDaemons, maxPages, pageBytes } from '../limits';
import { type CompiledModule, engine } from '../module/engine';
import type { InheritedSnapshot } from '../session';
import { openDaemonFile } from './daemon-file';
import { RestoredGuest } from './restored-guest';
import { openSnapshot, type SnapshotFacts, type SnapshotReference } from './snapshot-files';

/** A program of a system image that starts from its snapshot, and the instance kept ready for it. */
export class SnapshotProgram {
  private guest: RestoredGuest | undefined;

  private constructor(
    readonly facts: SnapshotFacts,
    private readonly memoryFd: number,
    private readonly module: CompiledModule,
  ) {}

  static open(file: string): SnapshotProgram {
    const { facts, memoryFd, module } = openSnapshot(file);
    return new SnapshotProgram(facts, memoryFd, new engine.Module(module));
  }

  /** From files that this process has open. */
  static openInherited({ facts, module, memory }: InheritedSnapshot): SnapshotProgram {
    const bytes = new Uint8Array(module.sizeBytes);
    if (readFully(module.fd, bytes, 0, bytes.length, 0) !== bytes.length) throw new Error('a snapshot is incomplete');
    return new SnapshotProgram(facts, memory.fd, new engine.Module(bytes));
  }

  /** A copy that was made from an instance of this program, in a file that may lose its name now. */
  openCopy(file: string): SnapshotProgram {
    const { facts, memoryFd } = openDaemonFile(file);
    return new SnapshotProgram(facts, memoryFd, this.module);
  }

  /** An instance as it was when the snapshot was taken, or undefined if the session's memory is too small for it. */
  findGuest(memoryBytes: number): RestoredGuest | undefined {
    const maximum = Math.min(Math.floor(memoryBytes / pageBytes), this.facts.maxPages, maxPages);
    if (maximum < this.facts.pages) return undefined;
    if (this.guest && this.guest.maximumPages !== maximum) this.guest = undefined;
    this.guest ??= new RestoredGuest(this.module, this.facts, this.memoryFd, maximum);
    return this.guest;
  }

  /** After a session: the instance is put back, or replaced if it cannot be. */
  settle(): void {
    if (!this.guest) return;
    const { maximumPages, reusable } = this.guest;
    if (reusable) {
      this.guest.restore();
      return;
    }
    this.guest = undefined;
    this.guest = new RestoredGuest(this.module, this.facts, this.memoryFd, maximumPages);
  }

  /** The session ended in a way after which the instance is not trusted. */
  discard(): void {
    this.guest = undefined;
  }

  /** Lets go of the file; the program is not used again. */
  close(): void {
    this.guest = undefined;
    closeSync(this.memoryFd);
  }
}

/** The snapshots of one executor, opened when they are first asked for. */
export class SnapshotPrograms {
  private readonly files = new Map<string, string>();
  private readonly programs = new Map<string, SnapshotProgram>();
  private readonly used = new Set<SnapshotProgram>();
  private inherited: SnapshotProgram | undefined;
  /** Copies of applications by their id, the last used last. */
  private readonly copies = new Map<string, SnapshotProgram>();

  constructor(references: readonly SnapshotReference[]) {
    for (const { imagePath, program, file } of references) this.files.set(keyOf(imagePath, program), file);
  }

  find(imagePath: string, program: string): SnapshotProgram | undefined {
    const key = keyOf(imagePath, program);
    const file = this.files.get(key);
    if (file === undefined) return undefined;
    let found = this.programs.get(key);
    if (!found) {
      found = SnapshotProgram.open(file);
      this.programs.set(key, found);
    }
    return found;
  }

  /** The one that a command has its sessions start from. */
  openInherited(snapshot: InheritedSnapshot): SnapshotProgram {
    this.inherited ??= SnapshotProgram.openInherited(snapshot);
    return this.inherited;
  }

  /** The copy of an application of `base`; `source` is its file, which must be given when the executor does not have it. */
  findCopy(base: SnapshotProgram, id: string, source: ChannelSource | undefined): SnapshotProgram {
    let found = this.copies.get(id);
    if (!found) {
      if (source?.kind !== 'file') throw new SandboxError('executor-failed', 'the executor does not hold the copy');
      found = base.openCopy(source.path);
    }
    this.copies.delete(id);
    this.copies.set(id, found);
    return found;
  }

  /** Lets go of copies that were not used for the longest time, and returns their ids. */
  dropCopies(): string[] {
    const dropped: string[] = [];
    let heldBytes = 0;
    for (const { facts } of this.copies.values()) heldBytes += facts.pages * pageBytes;
    for (const [id, copy] of this.copies) {
      const isLast = dropped.length === this.copies.size - 1;
      if (isLast || (this.copies.size - dropped.length <= heldDaemons.count && heldBytes <= heldDaemons.bytes)) break;
      heldBytes -= copy.facts.pages * pageBytes;
      dropped.push(id);
    }
    for (const id of dropped) {
      const copy = this.copies.get(id)!;
      this.copies.delete(id);
      this.used.delete(copy);
      copy.close();
    }
    return dropped;
  }

  /** To be called when a session has taken an instance. */
  markUsed(program: SnapshotProgram): void {
    this.used.add(program);
  }

  /** Lets go of all instances; a session that needs one makes it again. */
  rest(): void {
    for (const program of [...this.programs.values(), ...this.copies.values()]) program.discard();
  }

  /** Puts back what the last session used; off its way, since its reply has been sent. */
  settle(): void {
    for (const program of this.used) program.settle();
    this.used.clear();
  }
}

function keyOf(imagePath: string, program: string): string {
  return `${imagePath}:${program}`;
}
