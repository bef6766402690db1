import { openChannel } from '../channels/open-channel';
import { ChannelState, createChannelState } from '../channels/state';
import { RootFs } from '../images/root-fs';
import { maxPages, pageBytes, trustedModuleLimits } from '../limits';
import { admitModule } from '../module/admission';
import { engine } from '../module/engine';
import { ModuleRefusal } from '../module/reader';
import { memoryImport } from '../module/rewrite';
import { readSections } from '../module/sections';
import { readShape } from '../module/shape';
import { wasiModuleName } from '../wasi/functions';
import { WasiHost } from '../wasi/host';
import { bootJavaScript, engineImports } from './javascript-session';
import { bootProgram } from './python-boot';
import type { QuickJsExports } from './quickjs';
import { makeRestorable } from './restorable';
import { findRuns, pagesOf, type SnapshotFacts } from './snapshot-files';

export interface Snapshot {
  module: Uint8Array;
  memory: Uint8Array;
  facts: SnapshotFacts;
}

/** Thrown out of the host call at which the memory is copied. */
class SnapshotPoint extends Error {}

const bootMemoryPages = 4096;
const reading = { reads: 1, readBytes: 1, writes: 0, writeBytes: 0 };
const writing = { reads: 0, readBytes: 0, writes: 100, writeBytes: 10_000 };
const bootChannels = [
  { name: '/dev/stdin', limits: reading },
  { name: '/dev/stdout', limits: writing },
  { name: '/dev/stderr', limits: writing },
].map((channel) => ({ ...channel, type: 0 as const, fileType: 'pipe' as const, etag: false }));

/**
 * Starts a Python interpreter and copies it where it waits for a script. `library` is a directory of the image that its
 * programs expect in their root. Throws an error that says why if the program cannot be copied.
 */
export function takePythonSnapshot(bytes: Uint8Array, library: string | undefined): Snapshot {
  const admission = admitModule(bytes, trustedModuleLimits);
  if (!admission.admitted) throw new Error(admission.reason);
  const restorable = makeRestorable(admission.module);
  const maximum = Math.min(admission.module.maxPages, maxPages);
  const memory = new engine.Memory({
    initial: admission.module.minPages,
    maximum: Math.min(maximum, Math.max(bootMemoryPages, admission.module.minPages)),
  });
  const root = new RootFs();
  if (library !== undefined) root.mountDirectory(library);
  const states = bootChannels.map(() => new ChannelState(createChannelState({ writable: true })));
  const channels = bootChannels.map((spec, i) => openChannel(spec, states[i]!));
  const written = (state: ChannelState) => Buffer.from(state.buffer.subarray(0, state.windowLength)).toString('utf8');
  const [, stdout, stderr] = states as [ChannelState, ChannelState, ChannelState];
  const host = new WasiHost({ args: ['python', '-c', bootProgram], env: {}, channels, root });
  const openBefore = host.openDescriptors();
  host.attach(memory);
  const functions = { ...host.imports[wasiModuleName] } as Record<string, (...args: never[]) => number>;
  const time = functions.clock_time_get!;
  functions.clock_time_get = (...args) => {
    if (stdout.writes > 0) throw new SnapshotPoint();
    return time(...args);
  };
  const imports = { [wasiModuleName]: functions, [memoryImport.module]: { [memoryImport.name]: memory } };
  const { exports } = new engine.Instance(new engine.Module(restorable.bootBytes), imports);
  try {
    (exports._start as () => void)();
    throw new Error('the interpreter ended');
  } catch (error) {
    if (!(error instanceof SnapshotPoint)) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the interpreter did not start: ${reason}\n${written(stderr)}`);
    }
  }
  const leftOpen = host.openDescriptors() - openBefore;
  if (leftOpen !== 0) throw new Error(`the interpreter left ${leftOpen} files open`);
  root.close();
  const [serve, emptyTuple] = written(stdout).split(' ').map(Number);
  const copy = new Uint8Array(memory.buffer.slice(0));
  const facts: SnapshotFacts = {
    pages: pagesOf(copy),
    minPages: admission.module.minPages,
    maxPages: admission.module.maxPages,
    globals: restorable.globals.map((name) => [name, (exports[name] as { value: number }).value]),
    runs: findRuns(copy),
    language: 'python',
    serve: serve!,
    emptyTuple: emptyTuple!,
  };
  if (copy.byteLength % pageBytes !== 0 || !(facts.serve > 0) || !(facts.emptyTuple > 0)) {
    throw new ModuleRefusal('the interpreter did not say where it waits');
  }
  return { module: restorable.sessionBytes, memory: copy, facts };
}

/** Starts a JavaScript engine (a module of quickjs-wasi) and copies it with everything that scripts find. */
export function takeJavaScriptSnapshot(bytes: Uint8Array): Snapshot {
  const sections = readSections(bytes);
  const shape = readShape(sections, trustedModuleLimits);
  if (!shape.memory) throw new ModuleRefusal('the module has no memory');
  const [minPages, declaredPages] = [shape.memory.min, Math.min(shape.memory.max ?? maxPages, maxPages)];
  const restorable = makeRestorable({ sections, shape, minPages, maxPages: declaredPages });
  const memory = new engine.Memory({ initial: minPages, maximum: declaredPages });
  const host = new WasiHost({ args: [], env: {}, channels: [], root: new RootFs() });
  host.attach(memory);
  const unused = Object.fromEntries(engineImports.map((name) => [name, () => 0]));
  const { exports } = new engine.Instance(new engine.Module(restorable.bootBytes), {
    ...host.imports,
    env: unused,
    [memoryImport.module]: { [memoryImport.name]: memory },
  });
  const serve = bootJavaScript(exports as unknown as QuickJsExports, memory);
  const copy = new Uint8Array(memory.buffer.slice(0));
  const facts: SnapshotFacts = {
    pages: pagesOf(copy),
    minPages,
    maxPages: declaredPages,
    globals: restorable.globals.map((name) => [name, (exports[name] as { value: number }).value]),
    runs: findRuns(copy),
    language: 'javascript',
    serve,
    emptyTuple: 0,
  };
  return { module: restorable.sessionBytes, memory: copy, facts };
}
