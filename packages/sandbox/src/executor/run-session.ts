import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { ChannelSpec } from '../channels/channel-spec';
import { findChannelProblem } from '../channels/channel-spec';
import { type OpenChannel, openChannel } from '../channels/open-channel';
import { updateHash } from '../channels/output-file';
import { ChannelState, createChannelState } from '../channels/state';
import { RootFs } from '../images/root-fs';
import { pageBytes } from '../limits';
import { engine, type LinearMemory } from '../module/engine';
import { memoryImport } from '../module/rewrite';
import { createReport, reportCode } from '../report';
import type { Report, SystemImage } from '../session';
import { deterministicClock, deterministicRandom, WasiHost, type WasiHostOptions } from '../wasi/host';
import { traceCalls } from '../wasi/trace-calls';
import { type Control, nowMs, phase } from './control';
import { type Ending, runGuest } from './guest';
import type { ReadyModule } from './module-cache';
import { collectOutputs, summarise } from './outcome';
import { type LoadedProgram, ProgramLoader } from './program';
import type { ExecutorReply, ExecutorSetup, SessionRequest } from './protocol';

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
  private readonly states: ChannelState[];

  constructor(private readonly options: RunnerOptions) {
    this.images = new Map(options.setup.systemImages.map((image) => [image.name, image]));
    this.programs = new ProgramLoader(this.images);
    this.states = options.states.map((shared) => new ChannelState(shared));
  }

  /** Throws `SandboxError` for what the caller got wrong, and anything else for the host's own failures. */
  run(request: SessionRequest): DoneReply {
    const { control } = this.options;
    // Before the phase changes: whoever reports a session must not find an earlier one's counters.
    const states = this.prepareStates(request.channels.length);
    control.begin(request.id);
    const program = this.programs.load(request);
    const refusal = findRefusal(request, program) ?? findCheckOnly(request, program);
    if (refusal) {
      control.claim();
      return this.reply(request, program, refusal, collectOutputs(request.channels, states, 0));
    }
    const { module, trusted } = program as Extract<LoadedProgram, { kind: 'ready' }>;
    const channels: OpenChannel[] = [];
    const root = new RootFs();
    try {
      request.channels.forEach((spec, index) => {
        channels.push(openChannel(spec, states[index]!));
      });
      this.mount(root, request);
      const { ending, fault, memoryMd5 } = this.runProgram(request, module, channels, root);
      const elapsedMs = nowMs() - control.startedAtMs;
      const cpu = control.cpuSinceBegin();
      for (const channel of channels.splice(0)) channel.finish();
      const outputs = collectOutputs(request.channels, states, this.options.setup.inlineOutputBytes);
      const summary = summarise(request.channels, states, outputs, { cpu, elapsedMs });
      if (memoryMd5 !== undefined) summary.etags.push({ name: '/dev/memory', md5: memoryMd5 });
      const reply = this.reply(request, program, { validation: trusted ? 2 : 0, ...ending, ...summary }, outputs);
      return fault === undefined ? reply : { ...reply, fault: describeFault(fault), last: true };
    } finally {
      root.close();
      for (const channel of channels) channel.finish();
    }
  }

  private runProgram(
    request: SessionRequest,
    { module, minPages, maxPages }: ReadyModule,
    channels: OpenChannel[],
    root: RootFs,
  ): { ending: Ending; fault: unknown; memoryMd5?: string } {
    const { control } = this.options;
    const maximum = Math.min(maxPages, Math.floor(request.memoryBytes / pageBytes));
    const memory = new engine.Memory({ initial: minPages, maximum });
    const host = new WasiHost({ args: request.args, env: request.env, channels, root, ...findFixedWorld(request) });
    host.attach(memory);
    const { trace, memoryEtag } = request.local ?? {};
    const imports = {
      ...(trace ? traceCalls(host.imports, trace) : host.imports),
      [memoryImport.module]: { [memoryImport.name]: memory },
    };
    if (!control.start()) control.park();
    const ending = runGuest(module, imports);
    if (!control.advance(phase.running, phase.finishing)) control.park();
    return { ending, fault: host.fault, ...(memoryEtag && { memoryMd5: md5Of(memory) }) };
  }

  private mount(root: RootFs, { systemImages, mounts }: SessionRequest): void {
    for (const name of systemImages) {
      const image = this.images.get(name);
      if (image?.mounted) mountImage(root, image);
    }
    for (const { kind, source, mountPoint } of mounts) {
      if (kind === 'tar') root.mountTar(source, mountPoint);
      else if (source.kind === 'file') root.mountDirectory(source.path, mountPoint);
    }
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
    program: LoadedProgram,
    report: Partial<Report>,
    outputs: DoneReply['outputs'],
  ): DoneReply {
    const changes = program.kind === 'ready' ? { cached: program.cached, evicted: program.evicted } : { evicted: [] };
    return { kind: 'done', id, report: createReport(report), outputs, ...changes, last: false };
  }
}

/** A failure of the host, for the log. */
export function describeFault(fault: unknown): string {
  return fault instanceof Error ? String(fault.stack) : String(fault);
}

/** What is wrong with a session before its guest starts, as ZeroVM reports it. */
function findRefusal(request: SessionRequest, program: LoadedProgram): Partial<Report> | undefined {
  if (program.kind === 'refused') {
    return { validation: 1, state: 'validation failed', code: reportCode.refusedProgram, detail: program.reason };
  }
  const validation = program.trusted ? 2 : 0;
  if (program.module.minPages * pageBytes > request.memoryBytes) {
    return { validation, state: 'user heap size is too small', code: reportCode.memory };
  }
  const problem = findProblem(request.channels);
  if (problem === undefined) return undefined;
  const code = problem.startsWith('negative') ? reportCode.badManifest : reportCode.badChannel;
  return { validation, state: problem, code };
}

/** The report of a session that asks for no more than the check. */
function findCheckOnly({ local }: SessionRequest, program: LoadedProgram): Partial<Report> | undefined {
  return local?.checkOnly ? { validation: program.trusted ? 2 : 0 } : undefined;
}

/** The clock and random source of a session that must be repeatable. */
function findFixedWorld({ local }: SessionRequest): Pick<WasiHostOptions, 'clock' | 'random'> {
  const startSeconds = local?.startSeconds;
  if (startSeconds === undefined) return {};
  return { clock: deterministicClock(startSeconds), random: deterministicRandom(startSeconds) };
}

function md5Of(memory: LinearMemory): string {
  const hash = createHash('md5');
  updateHash(hash, new Uint8Array(memory.buffer));
  return hash.digest('hex');
}

function findProblem(channels: readonly ChannelSpec[]): string | undefined {
  for (const channel of channels) {
    const problem = findChannelProblem(channel);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A directory is laid in as it is; a tar is laid in and shown as `/dev/<name>`. */
function mountImage(root: RootFs, { name, path }: SystemImage): void {
  if (statSync(path).isDirectory()) {
    root.mountDirectory(path);
    return;
  }
  const source = { kind: 'file' as const, path };
  root.mountTar(source);
  const state = new ChannelState(createChannelState({ writable: false }));
  root.addChannel(openChannel({ ...imageChannel, name: `/dev/${name}`, source }, state));
}

const imageChannel = {
  type: 3 as const,
  limits: { reads: Infinity, readBytes: Infinity, writes: 0, writeBytes: 0 },
  fileType: 'block' as const,
  etag: false,
};
