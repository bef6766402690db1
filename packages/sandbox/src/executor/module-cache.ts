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

interface Entry {
  module: ReadyModule;
  /** Under which it is asked for without its bytes, the oldest first. */
  keys: string[];
}

/** Another upload of the same bytes has another key; only so many of them are remembered. */
const maxKeys = 16;

/**
 * Compiled modules of one executor by the digest of their bytes, so that the same program is compiled once, whatever it comes in.
 * The least recently used ones are dropped beyond a number and a total of bytes.
 */
export class ModuleCache {
  /** By digest. */
  private readonly entries = new Map<string, Entry>();
  private readonly digests = new Map<string, string>();
  private heldBytes = 0;

  constructor(private readonly limits: { entries: number; bytes: number }) {}

  /** The module that was kept under this key. */
  find(key: string): ReadyModule | undefined {
    const digest = this.digests.get(key);
    return digest === undefined ? undefined : this.findContent(digest);
  }

  findContent(digest: string): ReadyModule | undefined {
    const found = this.entries.get(digest);
    if (!found) return undefined;
    this.entries.delete(digest);
    this.entries.set(digest, found);
    return found.module;
  }

  /** Keeps a module, under a key if it has one, and returns the keys dropped for it; its own among them if it is too large to be kept. */
  add(digest: string, key: string | undefined, module: ReadyModule): string[] {
    const dropped: string[] = [];
    let entry = this.entries.get(digest);
    if (!entry) {
      entry = { module, keys: [] };
      this.entries.set(digest, entry);
      this.heldBytes += module.sizeBytes;
    }
    if (key !== undefined && this.digests.get(key) !== digest) {
      entry.keys.push(key);
      this.digests.set(key, digest);
      if (entry.keys.length > maxKeys) dropped.push(this.forget(entry.keys.shift()!));
    }
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.limits.entries && this.heldBytes <= this.limits.bytes) break;
      dropped.push(...this.drop(oldest));
    }
    return dropped;
  }

  private drop(digest: string): string[] {
    const { module, keys } = this.entries.get(digest)!;
    this.entries.delete(digest);
    this.heldBytes -= module.sizeBytes;
    if (module.own?.kind === 'file') closeSync(module.own.fd);
    return keys.map((key) => this.forget(key));
  }

  private forget(key: string): string {
    this.digests.delete(key);
    return key;
  }
}
