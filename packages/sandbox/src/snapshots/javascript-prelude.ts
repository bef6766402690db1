/**
 * What a script finds besides the language: the part of QuickJS's `qjs` that makes sense in a session, written in JavaScript
 * over one host function. It is evaluated once, before the copy is taken.
 */
export const prelude = `
(() => {
'use strict';
const host = globalThis.zerocloud_call;
delete globalThis.zerocloud_call;
const clock = globalThis.performance, { parse } = JSON;
const op = { write: 0, read: 1, open: 2, close: 3, exit: 4, readAll: 5, list: 6, stat: 7, text: 8, sleep: 9, remove: 10, mkdir: 11 };
const names = { 2: 'EACCES', 8: 'EBADF', 19: 'EDQUOT', 20: 'EEXIST', 28: 'EINVAL', 29: 'EIO', 31: 'EISDIR', 44: 'ENOENT',
  51: 'ENOSPC', 54: 'ENOTDIR', 55: 'ENOTEMPTY', 58: 'ENOTSUP', 63: 'EPERM', 69: 'EROFS', 70: 'ESPIPE', 76: 'ENOTCAPABLE' };
const failure = (errno, what) => {
  const error = new Error((names[errno] ?? 'error ' + errno) + ': ' + what);
  error.errno = errno;
  return error;
};
const check = (result, what) => {
  if (typeof result === 'number' && result < 0) throw failure(-result, what);
  return result;
};
const put = (fd, text) => check(host(op.write, fd, text), 'write');

const show = (value, depth = 0) => {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === 'function') return '[Function ' + (value.name || '(anonymous)') + ']';
  if (typeof value === 'bigint') return value + 'n';
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Error) return describe(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth > 3) return Array.isArray(value) ? '[Array]' : '[Object]';
  const inner = (item) => show(item, depth + 1);
  const list = (open, items, close) => (items.length === 0 ? open + close : open + ' ' + items.join(', ') + ' ' + close);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return list('[', Array.from(value, inner), ']');
  if (value instanceof Map) return 'Map ' + list('{', Array.from(value, ([k, v]) => inner(k) + ' => ' + inner(v)), '}');
  if (value instanceof Set) return 'Set ' + list('{', Array.from(value, inner), '}');
  return list('{', Object.keys(value).map((key) => (/^[\\w$]+$/.test(key) ? key : JSON.stringify(key)) + ': ' + inner(value[key])), '}');
};
const describe = (error) => {
  if (!(error instanceof Error)) return show(error);
  const stack = error.stack ? '\\n' + String(error.stack).replace(/\\n$/, '') : '';
  return String(error) + stack;
};
const line = (values) => values.map((value) => show(value)).join(' ') + '\\n';

class File {
  #fd; #held = new Uint8Array(0); #ended = false;
  constructor(fd) { this.#fd = fd; }
  #fill() {
    if (this.#ended) return false;
    const more = new Uint8Array(check(host(op.read, this.#fd, 65536), 'read'));
    if (more.length === 0) { this.#ended = true; return false; }
    const joined = new Uint8Array(this.#held.length + more.length);
    joined.set(this.#held); joined.set(more, this.#held.length);
    this.#held = joined;
    return true;
  }
  #take(count) {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    return taken;
  }
  puts(...texts) { for (const text of texts) put(this.#fd, String(text)); }
  flush() {}
  getline() {
    let from = 0, at;
    while ((at = this.#held.indexOf(10, from)) < 0) {
      from = this.#held.length;
      if (!this.#fill()) break;
    }
    if (at < 0 && this.#held.length === 0) return null;
    const taken = this.#take(at < 0 ? this.#held.length : at + 1);
    return host(op.text, taken.buffer, at < 0 ? taken.length : taken.length - 1);
  }
  getByte() {
    if (this.#held.length === 0 && !this.#fill()) return -1;
    return this.#take(1)[0];
  }
  readAsString(limit = Infinity) {
    if (limit === Infinity && this.#held.length === 0) { this.#ended = true; return check(host(op.readAll, this.#fd, 1), 'read'); }
    while (this.#held.length < limit && this.#fill());
    const taken = this.#take(Math.min(limit, this.#held.length));
    return host(op.text, taken.buffer, taken.length);
  }
  read(buffer, position, length) {
    if (this.#held.length === 0) this.#fill();
    const taken = this.#take(Math.min(length, this.#held.length));
    new Uint8Array(buffer, position).set(taken);
    return taken.length;
  }
  write(buffer, position, length) {
    return put(this.#fd, buffer.slice(position, position + length));
  }
  eof() { return this.#ended && this.#held.length === 0; }
  fileno() { return this.#fd; }
  close() { return check(host(op.close, this.#fd), 'close'); }
}

const openFile = (path, mode = 'r') => {
  if (!/^(r|w|a)(b|\\+|b\\+|\\+b)?$/.test(mode)) throw new TypeError('invalid mode ' + mode);
  return host(op.open, String(path), (mode[0] === 'r' ? 0 : mode[0] === 'w' ? 1 : 2) + (mode.includes('+') ? 4 : 0));
};
const timers = [];
let lastTimer = 0;
const setTimer = (callback, delay, every, args) => {
  const id = ++lastTimer;
  delay = Math.max(0, Number(delay) || 0);
  timers.push({ id, callback, args, at: Date.now() + delay, every: every ? Math.max(delay, 1) : undefined });
  return id;
};
const clearTimer = (id) => {
  const index = timers.findIndex((timer) => timer.id === id);
  if (index >= 0) timers.splice(index, 1);
};
globalThis.setTimeout = (callback, delay, ...args) => setTimer(callback, delay, false, args);
globalThis.setInterval = (callback, delay, ...args) => setTimer(callback, delay, true, args);
globalThis.clearTimeout = globalThis.clearInterval = clearTimer;

let variables = {};
const std = {
  exit(code = 0) { host(op.exit, Number(code) | 0); },
  getenv: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
  getenviron: () => ({ ...variables }),
  loadFile(path) {
    const fd = openFile(path);
    if (fd < 0) return null;
    try { return check(host(op.readAll, fd, 1), path); } finally { host(op.close, fd); }
  },
  open(path, mode) {
    const fd = openFile(path, mode);
    return fd < 0 ? null : new File(fd);
  },
  in: new File(0), out: new File(1), err: new File(2),
  puts: (...texts) => std.out.puts(...texts),
};
const os = {
  readdir(path) {
    const found = host(op.list, String(path));
    return typeof found === 'number' ? [[], found] : [found === '' ? [] : found.split('\\0'), 0];
  },
  stat(path) {
    const found = host(op.stat, String(path));
    return typeof found === 'number' ? [null, found] : [JSON.parse(found), 0];
  },
  remove: (path) => host(op.remove, String(path)),
  mkdir: (path) => host(op.mkdir, String(path)),
  getcwd: () => ['/', 0],
  sleep: (ms) => { host(op.sleep, Number(ms) || 0); },
  setTimeout: globalThis.setTimeout, clearTimeout: clearTimer,
  platform: 'wasi',
};
globalThis.std = std;
globalThis.os = os;
globalThis.print = (...values) => put(1, values.map(String).join(' ') + '\\n');
globalThis.console = {
  log: (...values) => put(1, line(values)), info: (...values) => put(1, line(values)), debug: (...values) => put(1, line(values)),
  error: (...values) => put(2, line(values)), warn: (...values) => put(2, line(values)),
};
return {
  start(text) {
    const [args, env, seed] = parse(text);
    globalThis.scriptArgs = args;
    variables = env;
    let [a, b, c, d] = seed;
    // sfc32: the engine's own generator would give every session the same numbers.
    Math.random = function random() {
      const sum = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (((c << 21) | (c >>> 11)) + sum) | 0;
      return ((sum >>> 0) * 0x200000 + (b >>> 11)) / 0x20000000000000;
    };
    const origin = clock.now();
    const performance = { now: () => clock.now() - origin, timeOrigin: Date.now() };
    Object.defineProperty(globalThis, 'performance', { value: performance, writable: true, configurable: true });
  },
  report(error) { host(op.write, 2, describe(error) + '\\n'); },
  /** Waits for the next timer and runs it; false if there is none. */
  tick() {
    if (timers.length === 0) return false;
    const next = timers.reduce((first, timer) => (timer.at < first.at ? timer : first));
    const wait = next.at - Date.now();
    if (wait > 0) host(op.sleep, wait);
    if (next.every === undefined) clearTimer(next.id);
    else next.at += next.every;
    next.callback(...next.args);
    return true;
  },
  modules: { std, os },
};
})()
`;

/** Source of the modules `std` and `os` for scripts that import them. */
export function builtInModule(name: string): string | undefined {
  const exported = exportsOf[name];
  if (exported === undefined) return undefined;
  const lines = exported.map((one, i) => `const v${i} = m[${JSON.stringify(one)}];`).join('\n');
  const list = exported.map((one, i) => `v${i} as ${one}`).join(', ');
  return `const m = globalThis[${JSON.stringify(name)}];\n${lines}\nexport { ${list} };\nexport default m;\n`;
}

const exportsOf: Readonly<Record<string, readonly string[]>> = {
  std: ['exit', 'getenv', 'getenviron', 'loadFile', 'open', 'in', 'out', 'err', 'puts'],
  os: ['readdir', 'stat', 'remove', 'mkdir', 'getcwd', 'sleep', 'setTimeout', 'clearTimeout', 'platform'],
};
