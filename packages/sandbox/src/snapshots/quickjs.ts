import type { LinearMemory } from '../module/engine';
import { GuestExit } from '../wasi/guest-end';

/** The engine's functions that we call (quickjs-wasi 3). Values are pointers to boxes, which their owner frees. */
export interface QuickJsExports {
  _initialize(): void;
  qjs_init(): number;
  qjs_set_max_stack_size(bytes: number): void;
  qjs_set_module_loader(on: number): void;
  qjs_set_promise_rejection_handler(on: number): void;
  qjs_eval(code: number, length: number, fileName: number, flags: number): number;
  qjs_is_exception(value: number): number;
  qjs_get_exception(): number;
  qjs_get_global(): number;
  qjs_get_undefined(): number;
  qjs_set_prop_string(object: number, name: number, value: number): number;
  qjs_call(callee: number, self: number, count: number, values: number): number;
  qjs_get_prop_string(object: number, name: number): number;
  qjs_new_host_function(name: number, length: number, argumentCount: number): number;
  qjs_new_string(text: number, length: number): number;
  qjs_new_number(value: number): number;
  qjs_new_array_buffer(data: number, length: number): number;
  qjs_new_error(): number;
  qjs_throw(error: number): number;
  qjs_is_array_buffer(value: number): number;
  qjs_get_float64(value: number): number;
  qjs_get_bool(value: number): number;
  qjs_get_array_buffer(value: number, length: number): number;
  qjs_get_string_len(value: number, length: number): number;
  qjs_free_cstring(text: number): void;
  qjs_free_value(value: number): void;
  qjs_dup_value(value: number): number;
  qjs_get_value_ptr(value: number): number;
  qjs_is_job_pending(): number;
  qjs_execute_pending_job(): number;
  qjs_promise_state(promise: number): number;
  qjs_promise_result(promise: number): number;
  JS_DetectModule(code: number, length: number): number;
  wasm_malloc(bytes: number): number;
  wasm_free(pointer: number): void;
}

export const evalFlags = { global: 0, module: 1 } as const;
export const promiseStates = { rejected: 2 } as const;

/** Exit code of a script that has used up its memory so far that not even an error can be made. */
const outOfMemoryExit = 1;

/** Helpers over the raw functions: text and bytes in and out of the engine's memory. */
export class QuickJs {
  constructor(
    readonly exports: QuickJsExports,
    private readonly memory: LinearMemory,
  ) {}

  /** Memory may have grown since the last look. */
  bytes(pointer: number, length: number): Buffer {
    return Buffer.from(this.memory.buffer, pointer >>> 0, length);
  }

  uint32(pointer: number): number {
    return this.bytes(pointer, 4).readUInt32LE(0);
  }

  setUint32(pointer: number, value: number): void {
    this.bytes(pointer, 4).writeUInt32LE(value >>> 0, 0);
  }

  /** Ends the guest if there is none left. */
  allocate(length: number): number {
    const pointer = this.exports.wasm_malloc(Math.max(length, 1)) >>> 0;
    if (pointer === 0) throw new GuestExit(outOfMemoryExit);
    return pointer;
  }

  /** Runs `use` with room for `length` bytes. */
  withRoom<T>(length: number, use: (pointer: number) => T): T {
    const pointer = this.allocate(length);
    try {
      return use(pointer);
    } finally {
      this.exports.wasm_free(pointer);
    }
  }

  /** A NUL-terminated copy, which the caller (or the engine) frees. */
  copyText(text: string | Uint8Array): { pointer: number; length: number } {
    const data = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
    const pointer = this.allocate(data.length + 1);
    const target = this.bytes(pointer, data.length + 1);
    target.set(data);
    target[data.length] = 0;
    return { pointer, length: data.length };
  }

  withText<T>(text: string | Uint8Array, use: (pointer: number, length: number) => T): T {
    const { pointer, length } = this.copyText(text);
    try {
      return use(pointer, length);
    } finally {
      this.exports.wasm_free(pointer);
    }
  }

  readCString(pointer: number): string {
    const rest = Buffer.from(this.memory.buffer, pointer >>> 0);
    return rest.subarray(0, rest.indexOf(0)).toString('utf8');
  }

  /** The text of a string value where it lies in the engine's memory. */
  withString<T>(value: number, use: (pointer: number, length: number) => T): T {
    return this.withRoom(4, (lengthPointer) => {
      const text = this.exports.qjs_get_string_len(value, lengthPointer) >>> 0;
      if (text === 0) throw new GuestExit(outOfMemoryExit);
      try {
        return use(text, this.uint32(lengthPointer));
      } finally {
        this.exports.qjs_free_cstring(text);
      }
    });
  }

  getString(value: number): string {
    return this.withString(value, (pointer, length) => this.bytes(pointer, length).toString('utf8'));
  }

  newString(text: string): number {
    return this.withText(text, (pointer, length) => this.exports.qjs_new_string(pointer, length));
  }

  evaluate(code: string | Uint8Array, fileName: string, flags: number): number {
    return this.withText(code, (pointer, length) =>
      this.withText(fileName, (name) => this.exports.qjs_eval(pointer, length, name, flags)),
    );
  }

  setGlobal(name: string, value: number): void {
    const global = this.exports.qjs_get_global();
    this.withText(name, (pointer) => this.exports.qjs_set_prop_string(global, pointer, value));
    this.exports.qjs_free_value(global);
  }

  throwError(message: string): void {
    const error = this.exports.qjs_new_error();
    const text = this.newString(message);
    this.withText('message', (name) => this.exports.qjs_set_prop_string(error, name, text));
    this.exports.qjs_throw(error);
    this.exports.qjs_free_value(text);
    this.exports.qjs_free_value(error);
  }
}
