import { createHash } from 'node:crypto';
import { IoVectors } from '../channels/io-vectors';
import { type OpenChannel, openChannel } from '../channels/open-channel';
import { updateHash } from '../channels/output-file';
import { ChannelState, createChannelState } from '../channels/state';
import { RootFs } from '../images/root-fs';
import { pageBytes } from '../limits';
import type { LinearMemory } from '../module/engine';
import { createReport, reportCode } from '../report';
import type { Report, SystemImage } from '../session';
import { writeDaemonFile } from '../snapshots/daemon-file';
import { findDaemonRequest, findPythonRequest } from '../snapshots/python-command';
import { type SnapshotProgram, SnapshotPrograms } from '../snapshots/snapshot-programs';
import { deterministicClock, deterministicRandom, GuestExit, WasiHost, type WasiHostOptions } from '../wasi/host';
import { traceCalls } from '../wasi/trace-calls';
import { Ahead, type Start, type World } from './ahead';
import { collectGarbage } from './collect-garbage';
import { type Control, nowMs, phase } from './control';
import { type Ending, runGuest } from './guest';
import { mountSession } from './mount-session';
import { collectOutputs, summarise } from './outcome';
import { addOwnFiles } from './own-files';
import { type LoadedProgram, ProgramLoader, readProgram } from './program';
import type { CopyRequest, ExecutorReply, ExecutorSetup, SessionRequest } from './protocol';
import { findRefusal } from './refusal';
import { saveDirectories } from './save-directories';

type ReadyProgram = Extract<LoadedProgram, { kind: 'ready' }>;

/** A program that goes on where its snapshot was taken. */
interface SnapshotStart {
  kind: 'snapshot';
  snapshot: SnapshotProgram;
  /** Id of the application's copy, if it is one; its session says so once it has really started from it. */
  copy?: string;
  isServed?: boolean;
  /** What it needs when it starts by itself. */
  module: { minPages: number };
  /** It comes from an image of the server. */
  trusted: boolean;
}

type DoneReply = Extract<ExecutorReply, { kind: 'done' }>;

export interface RunnerOptions {
  setup: ExecutorSetup;
  control: Control;
  /** Channel memory shared with the supervisor, by the channels' position in a session. */
  states: SharedArrayBuffer[];
  /** A session had more channels than there were states; the supervisor must know the new one before the guest starts. */
  onNewState(state: SharedArrayBuffer): void;
}

/** Runs sessions in the calling thread, from the check of the program to the collected outputs. */
export class SessionRunner {
  private readonly images: ReadonlyMap<string, SystemImage>;
  private readonly programs: ProgramLoader;
  private readonly snapshots: SnapshotPrograms;
  private readonly ahead = new Ahead();
  private readonly states: ChannelState[];

  constructor(private readonly options: RunnerOptions) {
    this.images = new Map(options.setup.systemImages.map((image) => [image.name, image]));
    this.programs = new ProgramLoader(this.images);
    this.snapshots = new SnapshotPrograms(options.setup.snapshots ?? []);
    this.states = options.states.map((shared) => new ChannelState(shared));
  }

  /** Throws `SandboxError` for what the caller got wrong, and anything else for the host's own failures. */
  run(request: SessionRequest): DoneReply {
    const { control } = this.options;
    // Before the phase changes: whoever reports a session must not find an earlier one's counters.
    const states = this.prepareStates(request.channels.length);
    control.begin(request.id);
    const program = this.findSnapshot(request) ?? this.programs.load(request);
    const refusal = findRefusal(request, program) ?? findCheckOnly(request, program);
    if (refusal || program.kind === 'refused') {
      control.claim();
      return this.reply(request, program, refusal ?? {}, collectOutputs(request.channels, states, 0));
    }
    const channels: OpenChannel[] = [];
    const archives: OpenChannel[] = [];
    const { root, host } = this.takeWorld(request);
    try {
      request.channels.forEach((spec, index) => {
        channels.push(openChannel(spec, states[index]!));
      });
      mountSession(root, request, this.images, archives);
      for (const { directory } of request.local?.saves ?? []) root.makeMountPoint(directory);
      const { ending, fault, memoryMd5 } = this.runProgram(request, program, channels, { root, host });
      const elapsedMs = nowMs() - control.startedAtMs;
      const detail = ending.code === reportCode.ok ? saveDirectories(root, channels, request.local?.saves) : undefined;
      const cpu = control.cpuSinceBegin();
      for (const channel of channels.splice(0)) channel.finish();
      const outputs = collectOutputs(request.channels, states, this.options.setup.inlineOutputBytes);
      const { accounting, etags } = summarise(request.channels, states, outputs, { cpu, elapsedMs });
      if (memoryMd5 !== undefined) etags.push({ name: '/dev/memory', md5: memoryMd5 });
      const reply = this.reply(
        request,
        program,
        {
          validation: program.trusted ? 2 : 0,
          daemon: program.kind === 'snapshot' && program.isServed === true,
          exitCode: ending.exitCode,
          state: ending.state,
          code: ending.code,
          detail: detail ?? ending.detail,
          accounting,
          etags,
          elapsedMs,
        },
        outputs,
      );
      return fault === undefined ? reply : { ...reply, fault: describeFault(fault), last: true };
    } finally {
      root.close();
      for (const channel of [...channels, ...archives]) channel.finish();
    }
  }

  /** To be called after the reply was sent: makes ready again what the session used. */
  settle(): void {
    this.snapshots.settle();
    this.ahead.settle();
  }

  /** To be called when nobody has needed this for a while: lets go of all instances. The next session makes what it needs. */
  rest(): void {
    this.snapshots.rest();
    this.ahead.rest();
    collectGarbage();
  }

  private takeWorld(request: SessionRequest): World {
    const fixed = findFixedWorld(request);
    if (!fixed) return this.ahead.takeWorld();
    const root = new RootFs();
    return { root, host: new WasiHost({ root, ...fixed }) };
  }

  private runProgram(
    request: SessionRequest,
    program: ReadyProgram | SnapshotStart,
    channels: OpenChannel[],
    { root, host }: World,
  ): { ending: Ending; fault: unknown; memoryMd5?: string } {
    const { control } = this.options;
    if (!request.local) {
      const own = program.kind === 'ready' ? program.module.own : undefined;
      addOwnFiles(root, request, () => readProgram(request, own, this.images));
    }
    // The channel that takes a copy is none of the guest's.
    const own = request.copy?.kind === 'make' ? channels.slice(0, -1) : channels;
    host.begin({ args: request.args, env: request.env, channels: own });
    const { memory, run } =
      request.copy?.kind === 'make'
        ? this.prepareCopy(request, request.copy, program, host, root, channels)
        : this.prepare(request, program, host, root);
    if (!control.start()) control.park();
    const ending = runGuest(run);
    if (!control.advance(phase.running, phase.finishing)) control.park();
    // An instance that did not end by itself is not used again.
    if (program.kind === 'snapshot' && ending.code !== reportCode.ok) program.snapshot.discard();
    const memoryMd5 = request.local?.memoryEtag && memory ? md5Of(memory) : undefined;
    return { ending, fault: host.fault, memoryMd5 };
  }

  /** Everything up to the moment at which the guest's time begins. */
  private prepare(
    request: SessionRequest,
    program: ReadyProgram | SnapshotStart,
    host: WasiHost,
    root: RootFs,
  ): { memory?: LinearMemory; run: () => void } {
    if (program.kind === 'snapshot') {
      const { snapshot } = program;
      const message =
        snapshot.facts.language === 'python'
          ? findPythonRequest({ ...request, root, plain: this.isPlain(request) })
          : Buffer.from(JSON.stringify({ args: request.args, env: request.env }));
      const guest = message && snapshot.findGuest(request.memoryBytes);
      if (!guest) return this.prepareStart(request, this.loadAgain(request), host);
      this.snapshots.markUsed(snapshot);
      program.isServed = program.copy !== undefined;
      const { trace } = request.local ?? {};
      const imports = trace ? traceCalls(host.imports, trace) : host.imports;
      return { memory: guest.memory, run: () => guest.serve(host, message, imports) };
    }
    return this.prepareStart(request, program, host);
  }

  /** Imports modules in an instance of the interpreter, and writes the copy of what it is then. */
  private prepareCopy(
    request: SessionRequest,
    { modules, maxBytes }: Extract<CopyRequest, { kind: 'make' }>,
    program: ReadyProgram | SnapshotStart,
    host: WasiHost,
    root: RootFs,
    channels: OpenChannel[],
  ): { memory?: LinearMemory; run: () => void } {
    const end = (problem: string): never => {
      const text = Buffer.from(`${problem}\n`);
      channels.find(({ spec }) => spec.name === '/dev/stderr')?.write(text, IoVectors.of(0, text.length), 0);
      throw new GuestExit(1);
    };
    const snapshot = program.kind === 'snapshot' ? program.snapshot : undefined;
    const message =
      snapshot?.facts.language === 'python'
        ? findDaemonRequest({ ...request, root, plain: this.isPlain(request) }, modules)
        : undefined;
    const guest = message && snapshot?.findGuest(request.memoryBytes);
    if (!guest) return { run: () => end('the program cannot start from a copy') };
    this.snapshots.markUsed(snapshot!);
    const openBefore = host.openDescriptors();
    return {
      run: () => {
        const { memory, facts } = guest.makeCopy(host, message);
        const leftOpen = host.openDescriptors() - openBefore;
        if (leftOpen !== 0) end(`importing left ${leftOpen} files open`);
        const sizeBytes = facts.runs.reduce((sum, [from, to]) => sum + to - from, 0);
        if (sizeBytes > maxBytes) end(`the copy has ${sizeBytes} bytes`);
        if (!writeDaemonFile(channels.at(-1)!, memory, facts)) end('the copy is too large');
      },
    };
  }

  private prepareStart({ memoryBytes, local }: SessionRequest, { module }: ReadyProgram, host: WasiHost): Start {
    const imports = local?.trace && traceCalls(host.imports, local.trace);
    return this.ahead.takeStart(module, memoryBytes, host, imports);
  }

  /** The snapshot to start from, if there is one and the session's memory holds it. */
  private findSnapshot({ program, memoryBytes, local, copy }: SessionRequest): SnapshotStart | undefined {
    const inherited = local?.snapshot;
    const snapshot = inherited ? this.snapshots.openInherited(inherited) : this.findImageSnapshot(program, local);
    if (!snapshot) return undefined;
    const { pages, minPages, language } = snapshot.facts;
    const trusted = inherited === undefined;
    // JavaScript's engine exists as a copy only; Python can start by itself in less memory.
    if (language === 'javascript') return { kind: 'snapshot', snapshot, module: { minPages: pages }, trusted };
    if (memoryBytes < pages * pageBytes) return undefined;
    if (copy?.kind === 'start') {
      const own = this.snapshots.findCopy(snapshot, copy.id, copy.source);
      return { kind: 'snapshot', snapshot: own, copy: copy.id, module: { minPages }, trusted: true };
    }
    return { kind: 'snapshot', snapshot, module: { minPages }, trusted };
  }

  private findImageSnapshot(
    program: SessionRequest['program'],
    local: SessionRequest['local'],
  ): SnapshotProgram | undefined {
    if (program.kind !== 'system-image' || local !== undefined) return undefined;
    const image = this.images.get(program.image);
    return image && this.snapshots.find(image.path, program.path);
  }

  /** The interpreter of a session that cannot start from its snapshot. */
  private loadAgain(request: SessionRequest): ReadyProgram {
    const program = this.programs.load(request);
    if (program.kind === 'refused')
      throw new Error(`a snapshot was made of a program that is refused: ${program.reason}`);
    return program;
  }

  /** Nothing is laid into the root that could change what an interpreter imports. */
  private isPlain({ mounts, systemImages }: SessionRequest): boolean {
    return mounts.length === 0 && !systemImages.some((name) => this.images.get(name)?.mounted);
  }

  private prepareStates(count: number): ChannelState[] {
    for (let i = 0; i < count; i++) {
      const state = this.states[i];
      if (state) {
        state.reset();
        continue;
      }
      const shared = createChannelState({ writable: true });
      this.states.push(new ChannelState(shared));
      this.options.onNewState(shared);
    }
    return this.states;
  }

  private reply(
    { id }: SessionRequest,
    program: LoadedProgram | SnapshotStart,
    report: Partial<Report>,
    outputs: DoneReply['outputs'],
  ): DoneReply {
    return { kind: 'done', id, report: createReport(report), outputs, last: false, ...this.cacheChanges(program) };
  }

  /** What the executor holds since this session, and what it does not hold any more. */
  private cacheChanges(program: LoadedProgram | SnapshotStart): Pick<DoneReply, 'cached' | 'evicted'> {
    if (program.kind === 'ready') return { cached: program.cached, evicted: program.evicted };
    if (program.kind === 'refused' || program.copy === undefined) return { evicted: [] };
    return { cached: program.copy, evicted: this.snapshots.dropCopies() };
  }
}

/** A failure of the host, for the log. */
export function describeFault(fault: unknown): string {
  return fault instanceof Error ? String(fault.stack) : String(fault);
}

/** The report of a session that asks for no more than the check. */
function findCheckOnly({ local }: SessionRequest, program: LoadedProgram | SnapshotStart): Partial<Report> | undefined {
  return local?.checkOnly ? { validation: program.trusted ? 2 : 0 } : undefined;
}

/** The clock and random source of a session that must be repeatable. */
function findFixedWorld({ local }: SessionRequest): Pick<WasiHostOptions, 'clock' | 'random'> | undefined {
  const startSeconds = local?.startSeconds;
  if (startSeconds === undefined) return undefined;
  return { clock: deterministicClock(startSeconds), random: deterministicRandom(startSeconds) };
}

function md5Of(memory: LinearMemory): string {
  const hash = createHash('md5');
  updateHash(hash, new Uint8Array(memory.buffer));
  return hash.digest('hex');
}
