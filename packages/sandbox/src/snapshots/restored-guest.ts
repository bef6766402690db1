import { readFully } from '../channels/random-access';
import { pageBytes } from '../limits';
import { type CompiledModule, engine, type LinearMemory } from '../module/engine';
import { memoryImport } from '../module/rewrite';
import { wasiFunctions, wasiModuleName } from '../wasi/functions';
import type { WasiHost, WasiImports } from '../wasi/host';
import { engineImports, type JavaScriptRequest, JavaScriptSession } from './javascript-session';
import { copyMark } from './python-boot';
import type { QuickJsExports } from './quickjs';
import { tableExport } from './restorable';
import { findRuns, pagesOf, type SnapshotFacts } from './snapshot-files';

/** CPython's objects on a 32-bit machine, 3.11 and 3.12: an object's type, and a type's `tp_call`. */
const typeOffset = 4;
const callOffset = 64;

type HostFunctions = WasiImports[typeof wasiModuleName];
type HostFunction = (...args: unknown[]) => number;

interface GuestExports {
  [tableExport]: { get(index: number): (callable: number, args: number, keywords: number) => number };
  [name: string]: unknown;
}

/** Thrown out of the call of the host at which the memory is to be copied. */
class CopyPoint extends Error {}

/** `Buffer.compare` needs something to compare with. */
const emptiness = Buffer.alloc(pageBytes);

/**
 * One instance of a program, put back to its snapshot after each session. What a session can change is its memory and the
 * mutable globals, and both are put back in full; a memory that has grown cannot shrink, so its instance is given up.
 */
export class RestoredGuest {
  readonly memory: LinearMemory;
  private readonly exports: GuestExports;
  private functions: Record<string, HostFunction> = {};
  private clean = false;

  constructor(
    module: CompiledModule,
    private readonly facts: SnapshotFacts,
    private readonly memoryFd: number,
    /** Pages to which the memory can grow. */
    readonly maximumPages: number,
  ) {
    this.memory = new engine.Memory({ initial: facts.pages, maximum: maximumPages });
    const imports = {
      [wasiModuleName]: this.forwarders(Object.keys(wasiFunctions)),
      env: this.forwarders(engineImports),
      [memoryImport.module]: { [memoryImport.name]: this.memory },
    };
    this.exports = new engine.Instance(module, imports).exports as GuestExports;
    // A fresh memory is zero already, and pages that are not touched cost nothing.
    for (const [start, end] of facts.runs) this.fill(start, end);
    this.restoreGlobals();
    this.clean = true;
  }

  /** The instance can be put back; otherwise it must be replaced. */
  get reusable(): boolean {
    return this.memory.buffer.byteLength === this.facts.pages * pageBytes;
  }

  /** Serves one session; `request` is what its interpreter takes. Its calls go to `imports`. Ends by an exception, as every guest does. */
  serve(host: WasiHost, request: Uint8Array, imports: WasiImports = host.imports): void {
    if (!this.clean) throw new Error('a guest was used twice');
    this.clean = false;
    host.attach(this.memory);
    const functions = imports[wasiModuleName] as unknown as Record<string, HostFunction>;
    if (this.facts.language === 'python') this.servePython(functions, request);
    else this.serveJavaScript(functions, request);
  }

  /**
   * Serves a request that makes a copy (`findDaemonRequest`) and returns it: the memory as it is, and what goes with it. Ends
   * by an exception if the interpreter does not get there.
   */
  makeCopy(host: WasiHost, request: Uint8Array): { memory: Uint8Array; facts: SnapshotFacts } {
    this.clean = false;
    host.attach(this.memory);
    try {
      this.servePython(endingAtMark(host.imports[wasiModuleName] as unknown as Record<string, HostFunction>), request);
    } catch (error) {
      if (!(error instanceof CopyPoint)) throw error;
    }
    const memory = new Uint8Array(this.memory.buffer);
    const globals = this.facts.globals.map(([name]): [string, number] => {
      return [name, (this.exports[name] as { value: number }).value];
    });
    return { memory, facts: { ...this.facts, pages: pagesOf(memory), globals, runs: findRuns(memory) } };
  }

  private servePython(functions: Record<string, HostFunction>, request: Uint8Array): void {
    this.functions = handOver(functions, request, (start) => Buffer.from(this.memory.buffer, start));
    const { serve, emptyTuple } = this.facts;
    const view = new DataView(this.memory.buffer);
    const type = view.getUint32(serve + typeOffset, true);
    this.exports[tableExport].get(view.getUint32(type + callOffset, true))(serve, emptyTuple, 0);
  }

  private serveJavaScript(functions: Record<string, HostFunction>, request: Uint8Array): void {
    const exports = this.exports as unknown as QuickJsExports;
    const session = new JavaScriptSession(exports, this.memory, functions, this.facts.serve);
    this.functions = { ...functions, ...(session.imports as unknown as Record<string, HostFunction>) };
    session.run(JSON.parse(Buffer.from(request).toString('utf8')) as JavaScriptRequest);
  }

  /** Puts memory and globals back. Throws if the instance is not reusable. */
  restore(): void {
    if (this.clean) return;
    if (!this.reusable) throw new Error('the memory of a guest has another size than its snapshot');
    this.functions = {};
    let position = 0;
    for (const [start, end] of this.facts.runs) {
      this.clear(position, start);
      this.fill(start, end);
      position = end;
    }
    this.clear(position, this.memory.buffer.byteLength);
    this.restoreGlobals();
    this.clean = true;
  }

  private fill(start: number, end: number): void {
    const bytes = new Uint8Array(this.memory.buffer);
    if (readFully(this.memoryFd, bytes, start, end - start, start) !== end - start) {
      throw new Error('a snapshot is shorter than it was');
    }
  }

  /** Writes only where something is: looking at a page that was never touched does not allocate it. */
  private clear(start: number, end: number): void {
    const bytes = Buffer.from(this.memory.buffer);
    for (let at = start; at < end; at += pageBytes) {
      const to = Math.min(at + pageBytes, end);
      if (emptiness.compare(bytes, at, to, 0, to - at) !== 0) bytes.fill(0, at, to);
    }
  }

  private restoreGlobals(): void {
    for (const [name, value] of this.facts.globals) (this.exports[name] as { value: number }).value = value;
  }

  /** An instance is bound to its imports for life; these pass each call on to the host of the session in hand. */
  private forwarders(names: readonly string[]): HostFunctions {
    const result: Record<string, HostFunction> = {};
    for (const name of names) {
      result[name] = (a, b, c, d, e, f, g, h, i) => this.functions[name]!(a, b, c, d, e, f, g, h, i);
    }
    return result as unknown as HostFunctions;
  }
}

/** The functions of a host that end the guest when it looks at the clock after the mark. */
function endingAtMark(functions: Record<string, HostFunction>): Record<string, HostFunction> {
  const { sched_yield: yieldNow, clock_time_get: time } = functions as Record<string, HostFunction>;
  let yields = 0;
  return {
    ...functions,
    sched_yield: () => {
      yields++;
      return yieldNow!();
    },
    clock_time_get: (...args) => {
      if (yields === copyMark) throw new CopyPoint();
      yields = 0;
      return time!(...args);
    },
  };
}

/** The functions of a host of which the first random bytes are the request. */
function handOver(
  functions: Record<string, HostFunction>,
  request: Uint8Array,
  memoryFrom: (start: number) => Uint8Array,
): Record<string, HostFunction> {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(request.byteLength);
  const message = Buffer.concat([length, request]);
  const random = functions.random_get!;
  let sent = 0;
  const random_get: HostFunction = (pointer, size) => {
    if (sent === message.length) return random(pointer, size);
    memoryFrom((pointer as number) >>> 0).set(message.subarray(sent, sent + (size as number)));
    sent = Math.min(sent + (size as number), message.length);
    return 0;
  };
  return { ...functions, random_get };
}
