/**
 * The engine's JavaScript API, as far as we use it. TypeScript declares `WebAssembly` only together with the browser's
 * whole library, which would let server code name things that are not there.
 */

/** A compiled module. */
export interface CompiledModule {
  readonly [Symbol.toStringTag]: string;
}

export interface LinearMemory {
  readonly buffer: ArrayBuffer;
}

export type ModuleImports = Record<string, Record<string, unknown>>;

interface Engine {
  Module: new (bytes: Uint8Array) => CompiledModule;
  Instance: new (module: CompiledModule, imports: ModuleImports) => { readonly exports: Record<string, unknown> };
  Memory: new (limits: { initial: number; maximum: number }) => LinearMemory;
  CompileError: ErrorConstructor;
  RuntimeError: ErrorConstructor;
  /** What wasm code throws by its own exceptions. */
  Exception: abstract new () => object;
}

export const engine = (globalThis as unknown as { WebAssembly: Engine }).WebAssembly;
