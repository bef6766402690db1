import { closeSync } from 'node:fs';
import type { CompiledModule } from '../module/engine';

/** A module ready for instantiation with a memory of the session's size. */
export interface ReadyModule {
  module: CompiledModule;
  /** Pages its memory starts with, and the most it can have by its own declaration. */
  minPages: number;
  maxPages: number;
  /** Guest code runs as soon as it is instantiated. */
  hasStartFunction: boolean;
  /** Size of the module's bytes. */
  sizeBytes: number;
  /** Its bytes as they came, for sessions that do not bring them along: in memory, or an open file. */
  own?: { kind: 'bytes'; data: Uint8Array } | { kind: 'file'; fd: number };
}

/** Compiled modules of one executor, the least recently used ones dropped beyond a number and a total of bytes. */
export class ModuleCache {
  private readonly modules = new Map<string, ReadyModule>();
  private heldBytes = 0;

  constructor(private readonly limits: { entries: number; bytes: number }) {}

  find(key: string): ReadyModule | undefined {
    const found = this.modules.get(key);
    if (found) {
      this.modules.delete(key);
      this.modules.set(key, found);
    }
    return found;
  }

  /** Keeps a module and returns the keys dropped for it; its own among them if it is too large to be kept. */
  add(key: string, module: ReadyModule): string[] {
    this.drop(key);
    this.modules.set(key, module);
    this.heldBytes += module.sizeBytes;
    const dropped: string[] = [];
    for (const oldest of this.modules.keys()) {
      if (this.modules.size <= this.limits.entries && this.heldBytes <= this.limits.bytes) break;
      this.drop(oldest);
      dropped.push(oldest);
    }
    return dropped;
  }

  private drop(key: string): void {
    const module = this.modules.get(key);
    if (!module) return;
    this.modules.delete(key);
    this.heldBytes -= module.sizeBytes;
    if (module.own?.kind === 'file') closeSync(module.own.fd);
  }
}
