import { RootFs } from '../images/root-fs';
import { pageBytes } from '../limits';
import type { LinearMemory } from '../module/engine';
import { memoryImport } from '../module/rewrite';
import { WasiHost } from '../wasi/host';
import { instantiate } from './guest';
import { HostSwitch } from './host-switch';
import type { ReadyModule } from './module-cache';
import { SpareMemory } from './spare-memory';

/** What surrounds a guest: its root and the host's side of its calls. */
export interface World {
  root: RootFs;
  host: WasiHost;
}

/** A program at its start. */
export interface Start {
  memory: LinearMemory;
  run(): void;
}

interface Prepared extends Start {
  module: ReadyModule;
  maximum: number;
}

/** A larger module is not what waits for microseconds, and its idle instance would cost memory. */
const maxAheadBytes = 1024 ** 2;

/**
 * Makes what the next session needs while nobody waits: a root and a host that no guest has seen, and an instance of the
 * module that was run twice in a row, for an executor's tenant mostly runs one program. Nothing of a session is in them.
 */
export class Ahead {
  private readonly memories = new SpareMemory();
  private readonly calls = new HostSwitch();
  private world: World | undefined;
  private start: Prepared | undefined;
  /** The module run last, and how often in a row. */
  private last: { module: ReadyModule; maximum: number; runs: number } | undefined;

  takeWorld(): World {
    const world = this.world ?? makeWorld();
    this.world = undefined;
    return world;
  }

  /**
   * The module with a memory of zeros, at most `memoryBytes` of it, and its calls going to the host. Guest code has not run yet.
   * `imports` takes the place of the host's own functions.
   */
  takeStart(module: ReadyModule, memoryBytes: number, host: WasiHost, imports?: WasiHost['imports']): Start {
    const maximum = Math.min(module.maxPages, Math.floor(memoryBytes / pageBytes));
    const { start, last } = this;
    this.start = undefined;
    this.calls.to(host);
    const isAgain = last?.module === module && last.maximum === maximum;
    this.last = { module, maximum, runs: isAgain ? last.runs + 1 : 1 };
    if (start?.module === module && start.maximum === maximum && imports === undefined) {
      host.attach(start.memory);
      return start;
    }
    const memory = this.memories.take(module.minPages, maximum);
    host.attach(memory);
    const all = withMemory(imports ?? this.calls.imports, memory);
    // A start function is guest code, and instantiating can trap: both are part of the run.
    return { memory, run: () => instantiate(module.module, all)() };
  }

  /** To be called between two sessions. */
  settle(): void {
    // No guest has run since the last time.
    if (this.world) return;
    this.calls.to(undefined);
    this.start = undefined;
    this.memories.settle();
    this.world = makeWorld();
    if (this.last && this.last.runs > 1) this.start = this.prepare(this.last);
  }

  /** Lets go of what is large; the host and the root stay. */
  rest(): void {
    this.start = undefined;
    this.last = undefined;
    this.memories.drop();
  }

  /** Undefined if the module is none to be made ahead. */
  private prepare({ module, maximum }: { module: ReadyModule; maximum: number }): Prepared | undefined {
    if (module.hasStartFunction || module.sizeBytes > maxAheadBytes || module.minPages * pageBytes > maxAheadBytes) {
      return undefined;
    }
    try {
      const memory = this.memories.take(module.minPages, maximum);
      const run = instantiate(module.module, withMemory(this.calls.imports, memory));
      return { module, maximum, memory, run };
    } catch {
      // Its data lie outside of its memory, or there is no memory left: the session itself will report that.
      return undefined;
    }
  }
}

function makeWorld(): World {
  const root = new RootFs();
  return { root, host: new WasiHost({ root }) };
}

function withMemory(imports: WasiHost['imports'], memory: LinearMemory) {
  return { ...imports, [memoryImport.module]: { [memoryImport.name]: memory } };
}
