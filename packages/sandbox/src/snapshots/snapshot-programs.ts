import { maxPages, pageBytes } from '../limits';
import { type CompiledModule, engine } from '../module/engine';
import { RestoredGuest } from './restored-guest';
import { openSnapshot, type SnapshotFacts, type SnapshotReference } from './snapshot-files';

/** A program of a system image that starts from its snapshot, and the instance kept ready for it. */
export class SnapshotProgram {
  readonly facts: SnapshotFacts;
  private readonly memoryFd: number;
  private readonly module: CompiledModule;
  private guest: RestoredGuest | undefined;

  constructor(file: string) {
    const { facts, memoryFd, module } = openSnapshot(file);
    this.facts = facts;
    this.memoryFd = memoryFd;
    this.module = new engine.Module(module);
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
}

/** The snapshots of one executor, opened when they are first asked for. */
export class SnapshotPrograms {
  private readonly files = new Map<string, string>();
  private readonly programs = new Map<string, SnapshotProgram>();
  private readonly used = new Set<SnapshotProgram>();

  constructor(references: readonly SnapshotReference[]) {
    for (const { imagePath, program, file } of references) this.files.set(keyOf(imagePath, program), file);
  }

  find(imagePath: string, program: string): SnapshotProgram | undefined {
    const key = keyOf(imagePath, program);
    const file = this.files.get(key);
    if (file === undefined) return undefined;
    let found = this.programs.get(key);
    if (!found) {
      found = new SnapshotProgram(file);
      this.programs.set(key, found);
    }
    return found;
  }

  /** To be called when a session has taken an instance. */
  markUsed(program: SnapshotProgram): void {
    this.used.add(program);
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
