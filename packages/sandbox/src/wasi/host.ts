import type { OpenChannel } from '../channels/open-channel';
import type { RootNode } from '../images/nodes';
import type { RootFs } from '../images/root-fs';
import { allRights, directoryRights, fileRights } from './abi';
import { argumentFunctions, type GuestArguments } from './args';
import { type Clock, clockFunctions, realClock } from './clock';
import { createContext, type HostContext } from './context';
import { transferFunctions } from './descriptor-io';
import { descriptorFunctions } from './descriptors';
import { directoryFunctions } from './directories';
import { errno, errnoOfSystemError, WasiError } from './errno';
import type { WasiFunctionName, wasiModuleName } from './functions';
import { GuestExit, GuestSignal } from './guest-end';
import type { LinearMemory } from './guest-memory';
import { pathOpenFunctions } from './path-open';
import { pathFunctions } from './paths';
import { pollFunctions } from './poll';
import { processFunctions } from './process';
import { hostRandom, type RandomSource, randomFunctions } from './random';
import { socketFunctions } from './sockets';

export { deterministicClock, realClock } from './clock';
export { wasiFunctions } from './functions';
export { GuestExit, GuestSignal } from './guest-end';
export { deterministicRandom, hostRandom } from './random';

/** What makes a host that of one guest. */
export interface GuestWorld extends GuestArguments {
  /** All channels; `/dev/stdin`, `/dev/stdout` and `/dev/stderr` become descriptors 0, 1, 2. */
  channels: readonly OpenChannel[];
}

export interface WasiHostOptions extends Partial<GuestWorld> {
  root: RootFs;
  /** The host's clocks by default; `deterministicClock` makes a session repeatable. */
  clock?: Clock;
  /** The host's generator by default. */
  random?: RandomSource;
}

type HostFunction = (...args: never[]) => number;
export type WasiImports = { [wasiModuleName]: Record<WasiFunctionName, HostFunction> };

const standardChannels = ['/dev/stdin', '/dev/stdout', '/dev/stderr'];
const signalSegmentationFault = 11;

/**
 * WASI preview 1 for one run of one guest. Whatever a guest passes, a call returns an error number; the only
 * exceptions that leave it are `GuestExit` and `GuestSignal`, which unwind the guest. Channels and root stay the caller's: when the
 * guest has ended he calls `finish` on the channels and `close` on the root.
 */
export class WasiHost {
  /** Import object for `WebAssembly.Instance`. */
  readonly imports: WasiImports;
  /** First failure of the host itself (an I/O error, a bug); the guest saw `io`. */
  fault: unknown;
  private ended: GuestExit | GuestSignal | undefined;
  private readonly context: HostContext;
  private guest: GuestArguments = { args: [], env: {} };

  /** Without `channels` it is a host made ahead, which `begin` makes that of a guest. */
  constructor({ args = [], env = {}, channels, root, clock = realClock(), random = hostRandom }: WasiHostOptions) {
    this.context = createContext({ root, clock, random });
    root.useClock(() => clock.realtimeNs());
    if (channels) this.begin({ args, env, channels });
    const { context } = this;
    const functions = {} as Record<WasiFunctionName, HostFunction>;
    for (const group of [
      argumentFunctions(context.memory, () => this.guest),
      clockFunctions(context),
      randomFunctions(context),
      transferFunctions(context),
      descriptorFunctions(context),
      directoryFunctions(context),
      pathOpenFunctions(context),
      pathFunctions(context),
      pollFunctions(context),
      processFunctions(),
      socketFunctions(context),
    ] as Record<string, HostFunction>[]) {
      for (const name in group) functions[name as WasiFunctionName] = this.guarded(group[name]!);
    }
    this.imports = { wasi_snapshot_preview1: functions };
  }

  /** Called once, before the guest starts. */
  begin({ args, env, channels }: GuestWorld): void {
    this.guest = { args, env };
    const { root, descriptors } = this.context;
    for (const channel of channels) root.addChannel(channel);
    for (const name of standardChannels) this.openStandard(name);
    descriptors.add({
      node: root.root,
      position: 0,
      flags: 0,
      rightsBase: directoryRights,
      rightsInheriting: allRights,
      canRead: true,
      canWrite: false,
      preopenPath: '/',
    });
  }

  /** The guest's memory; before it is attached every pointer is a `fault`. */
  attach(memory: LinearMemory): void {
    this.context.memory.attach(memory);
  }

  /** How many descriptors the guest has open. */
  openDescriptors(): number {
    return this.context.descriptors.openCount;
  }

  /**
   * A standard channel's descriptor is not bound to a direction: a transfer the wrong way meets the channel's limit of
   * zero, `dquot`, as in ZeroVM. A missing one is the null device.
   */
  private openStandard(name: string): void {
    const { root, descriptors } = this.context;
    const node: RootNode = root.resolve(root.root, name, false).node ?? root.get(root.root, '/dev/null', false);
    const can =
      node.kind === 'channel'
        ? { read: node.channel.readable, write: node.channel.writable, seek: node.channel.seekable }
        : { read: true, write: true, seek: true };
    descriptors.add({
      node,
      position: 0,
      flags: 0,
      rightsBase: fileRights(can),
      rightsInheriting: 0,
      canRead: true,
      canWrite: true,
    });
  }

  private guarded(call: HostFunction): HostFunction {
    return (...args: never[]) => {
      // A guest can catch the exception of proc_exit (exception handling); it gets no further than this.
      if (this.ended !== undefined) throw this.ended;
      try {
        return call(...args);
      } catch (error) {
        return this.toErrno(error);
      }
    };
  }

  private toErrno(error: unknown): number {
    if (error instanceof WasiError) return error.errno;
    if (error instanceof GuestExit || error instanceof GuestSignal) {
      this.ended = error;
      throw error;
    }
    if (error instanceof RangeError && error.message.includes('call stack')) {
      throw new GuestSignal(signalSegmentationFault, 'the guest ran out of stack');
    }
    if (error instanceof RangeError && error.message.includes('allocation failed')) return errno.nomem;
    const known = errnoOfSystemError(error);
    // The largest file is a limit of every executor, which a guest may run into.
    if (known !== errno.fbig) this.fault ??= error;
    return known;
  }
}
