import path from 'node:path';
import type { LinearMemory } from '../module/engine';
import { GuestExit } from '../wasi/guest-end';
import { type HostFunctions, JavaScriptCalls } from './javascript-calls';
import { builtInModule, prelude } from './javascript-prelude';
import { evalFlags, promiseStates, QuickJs, type QuickJsExports } from './quickjs';

/** Functions that the engine imports besides WASI. */
export const engineImports = [
  'host_call',
  'host_interrupt',
  'host_promise_rejection',
  'host_module_normalize',
  'host_module_load',
  'host_get_timezone_offset',
] as const;

export interface JavaScriptRequest {
  /** `qjs`, options, script, arguments. */
  args: string[];
  env: Record<string, string>;
}

const maxStackBytes = 512 * 1024;
const usage = 'usage: qjs [-m | --module | --script] [-e CODE | FILE] [ARGUMENTS]\n';

/** Prepares a fresh engine for scripts and returns the object of the prelude that serves sessions. */
export function bootJavaScript(exports: QuickJsExports, memory: LinearMemory): number {
  const engine = new QuickJs(exports, memory);
  exports._initialize();
  if (exports.qjs_init() !== 0) throw new Error('the JavaScript engine did not start');
  exports.qjs_set_max_stack_size(maxStackBytes);
  exports.qjs_set_module_loader(1);
  exports.qjs_set_promise_rejection_handler(1);
  const call = engine.withText('call', (pointer, length) => exports.qjs_new_host_function(pointer, length, 0));
  engine.setGlobal('zerocloud_call', call);
  exports.qjs_free_value(call);
  const session = engine.evaluate(prelude, '<zerocloud>', evalFlags.global);
  if (exports.qjs_is_exception(session))
    throw new Error(`the prelude failed: ${engine.getString(exports.qjs_get_exception())}`);
  return session;
}

/** One script from its beginning to its end, which is a `GuestExit`. */
export class JavaScriptSession {
  private readonly engine: QuickJs;
  private readonly calls: JavaScriptCalls;
  /** Promises that were rejected while nobody listened, and why. */
  private readonly rejected = new Map<number, number>();
  /** What the engine calls. */
  readonly imports: Readonly<Record<(typeof engineImports)[number], (...args: never[]) => number | undefined>>;

  constructor(
    exports: QuickJsExports,
    memory: LinearMemory,
    wasi: HostFunctions,
    /** The prelude's object. */
    private readonly session: number,
  ) {
    this.engine = new QuickJs(exports, memory);
    this.calls = new JavaScriptCalls(this.engine, wasi);
    this.imports = {
      host_call: (_name: number, _length: number, _self: number, count: number, args: number) => this.call(count, args),
      host_interrupt: () => 0,
      host_promise_rejection: (promise: number, reason: number, handled: number) => this.note(promise, reason, handled),
      host_module_normalize: (base: number, name: number) => this.normalise(base, name),
      host_module_load: (name: number, length: number) => this.loadModule(name, length),
      // Sessions live in UTC.
      host_get_timezone_offset: () => 0,
    };
  }

  run({ args, env }: JavaScriptRequest): never {
    const command = readCommand(args);
    if (!command) return this.stop(usage, 2);
    const { file, code, rest } = command;
    const name = file ?? (code === undefined ? '<stdin>' : '<cmdline>');
    const scriptArgs = file === undefined ? rest : [file, ...rest];
    this.invoke('start', this.engine.newString(JSON.stringify([scriptArgs, env, this.calls.seed()])));
    if (code !== undefined) this.evaluate(Buffer.from(code), name, command.module);
    else this.evaluateFile(file, name, command.module);
    do this.settle();
    while (this.isTrue(this.invoke('tick')));
    this.settle();
    throw new GuestExit(0);
  }

  private evaluateFile(file: string | undefined, name: string, module: boolean | undefined): void {
    const fd = file === undefined ? 0 : this.calls.open(file, 0);
    if (fd < 0) this.stop(`qjs: cannot open ${file}: error ${-fd}\n`, 1);
    let source: Buffer = Buffer.alloc(0);
    const problem = this.calls.readAll(fd, (pointer, length) => {
      source = Buffer.from(this.engine.bytes(pointer, length));
      return 0;
    });
    if (problem < 0) this.stop(`qjs: cannot read ${name}: error ${-problem}\n`, 1);
    if (fd > 0) this.calls.close(fd);
    this.evaluate(source, name, module);
  }

  private evaluate(source: Buffer, name: string, asModule: boolean | undefined): void {
    const { engine } = this;
    const module =
      asModule ??
      (name.endsWith('.mjs') ||
        engine.withText(source, (pointer, length) => engine.exports.JS_DetectModule(pointer, length)) !== 0);
    const result = engine.evaluate(source, name, module ? evalFlags.module : evalFlags.global);
    if (engine.exports.qjs_is_exception(result)) this.fail(engine.exports.qjs_get_exception());
    this.drain();
    if (!module || engine.exports.qjs_promise_state(result) !== promiseStates.rejected) return;
    this.fail(engine.exports.qjs_promise_result(result));
  }

  /** Runs promise reactions; an exception or a rejection that nobody has taken ends the script. */
  private settle(): void {
    this.drain();
    for (const reason of this.rejected.values()) this.fail(reason);
  }

  private drain(): void {
    const { exports } = this.engine;
    while (exports.qjs_is_job_pending()) {
      if (exports.qjs_execute_pending_job() < 0) this.fail(exports.qjs_get_exception());
    }
  }

  private fail(error: number): never {
    this.invoke('report', error);
    throw new GuestExit(1);
  }

  private stop(message: string, code: number): never {
    this.engine.withText(message, (pointer, length) => this.calls.write(2, pointer, length));
    throw new GuestExit(code);
  }

  /** Calls a method of the prelude's object; an exception in it ends the script. */
  private invoke(method: 'start' | 'report' | 'tick', ...values: number[]): number {
    const { engine, session } = this;
    const { exports } = engine;
    const callee = engine.withText(method, (name) => exports.qjs_get_prop_string(session, name));
    const result = engine.withRoom(values.length * 4, (pointer) => {
      values.forEach((value, i) => {
        engine.setUint32(pointer + 4 * i, value);
      });
      return exports.qjs_call(callee, session, values.length, pointer);
    });
    if (!exports.qjs_is_exception(result)) return result;
    const error = exports.qjs_get_exception();
    if (method === 'report') throw new GuestExit(1);
    return this.fail(error);
  }

  private isTrue(value: number): boolean {
    return this.engine.exports.qjs_get_bool(value) !== 0;
  }

  private note(promise: number, reason: number, handled: number): undefined {
    const { exports } = this.engine;
    const key = exports.qjs_get_value_ptr(promise);
    if (handled) this.rejected.delete(key);
    else this.rejected.set(key, exports.qjs_dup_value(reason));
    exports.qjs_free_value(reason);
    // A promise that is kept cannot be mistaken for a later one at the same address.
    if (handled) exports.qjs_free_value(promise);
  }

  private normalise(base: number, name: number): number {
    const [from, wanted] = [this.engine.readCString(base), this.engine.readCString(name)];
    const plain = wanted.startsWith('qjs:') ? wanted.slice(4) : wanted;
    const result = wanted.startsWith('.') ? path.posix.join(path.posix.dirname(from), wanted) : plain;
    return this.engine.copyText(result).pointer;
  }

  private loadModule(name: number, lengthPointer: number): number {
    const { engine, calls } = this;
    const wanted = engine.readCString(name);
    let source: string | Uint8Array | undefined = builtInModule(wanted);
    if (source === undefined) {
      const fd = calls.open(wanted, 0);
      const read = (pointer: number, length: number) => {
        source = Uint8Array.from(engine.bytes(pointer, length));
        return 0;
      };
      if (fd >= 0) {
        calls.readAll(fd, read);
        calls.close(fd);
      }
    }
    if (source === undefined) {
      engine.throwError(`could not load module '${wanted}'`);
      return 0;
    }
    const { pointer, length } = engine.copyText(source);
    engine.setUint32(lengthPointer, length);
    return pointer;
  }

  /** The prelude's host function: a number that says what to do, and its arguments. Returns a new value. */
  private call(count: number, args: number): number {
    const { engine, calls } = this;
    const { exports } = engine;
    const value = (i: number): number => (i < count ? engine.uint32(args + 4 * i) : exports.qjs_get_undefined());
    const number = (i: number): number => exports.qjs_get_float64(value(i));
    const text = (i: number): string => engine.getString(value(i));
    const result = (found: number): number => exports.qjs_new_number(found);
    const json = (found: object | number): number =>
      typeof found === 'number'
        ? result(found)
        : engine.newString(Array.isArray(found) ? found.join('\0') : JSON.stringify(found));
    switch (number(0)) {
      case 0:
        return result(this.write(number(1), value(2)));
      case 1:
        return engine.withRoom(number(2), (pointer) => {
          const read = calls.read(number(1), pointer, number(2));
          return read < 0 ? result(read) : exports.qjs_new_array_buffer(pointer, read);
        });
      case 2:
        return result(calls.open(text(1), number(2)));
      case 3:
        return result(calls.close(number(1)));
      case 4:
        return calls.exit(number(1));
      case 5: {
        const all = calls.readAll(number(1), (pointer, length) => exports.qjs_new_string(pointer, length) >>> 0);
        return all < 0 ? result(all) : all;
      }
      case 6:
        return json(calls.list(text(1)));
      case 7:
        return json(calls.stat(text(1)));
      case 8:
        return engine.withRoom(4, (length) => {
          return exports.qjs_new_string(exports.qjs_get_array_buffer(value(1), length), number(2));
        });
      case 9:
        return result(calls.sleep(number(1)));
      case 10:
        return result(calls.remove(text(1)));
      case 11:
        return result(calls.makeDirectory(text(1)));
      default:
        engine.throwError('no such call');
        return 0;
    }
  }

  private write(fd: number, value: number): number {
    const { engine, calls } = this;
    if (!engine.exports.qjs_is_array_buffer(value)) {
      return engine.withString(value, (pointer, length) => calls.write(fd, pointer, length));
    }
    return engine.withRoom(4, (length) => {
      const pointer = engine.exports.qjs_get_array_buffer(value, length);
      return calls.write(fd, pointer, engine.uint32(length));
    });
  }
}

interface Command {
  module: boolean | undefined;
  code?: string;
  file?: string;
  rest: string[];
}

function readCommand([, ...words]: string[]): Command | undefined {
  let module: boolean | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-m' || word === '--module') module = true;
    else if (word === '--script') module = false;
    else if (word === '--std') continue;
    else if (word === '-e' || word === '--eval') {
      const code = words.shift();
      return code === undefined ? undefined : { module, code, rest: words };
    } else if (word.startsWith('-') && word !== '-') return undefined;
    else return word === '-' ? { module, rest: words } : { module, file: word, rest: words };
  }
  return { module, rest: [] };
}
