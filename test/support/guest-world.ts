import type { ChannelSpec } from '@zerocloud/sandbox/channels/channel-spec';
import { type OpenChannel, openChannel } from '@zerocloud/sandbox/channels/open-channel';
import { ChannelState, createChannelState } from '@zerocloud/sandbox/channels/state';
import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { engine } from '@zerocloud/sandbox/module/engine';
import { GuestExit, WasiHost, type WasiHostOptions } from '@zerocloud/sandbox/wasi/host';

const noLimits = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };

/** A channel to read `content` from, unlimited for practical purposes. */
export function inputSpec(name: string, content: string | Uint8Array, changes: Partial<ChannelSpec> = {}): ChannelSpec {
  return {
    name,
    type: 0,
    limits: { ...noLimits, reads: 1000, readBytes: 1e9 },
    fileType: 'pipe',
    etag: false,
    source: { kind: 'bytes', data: Buffer.from(content) },
    ...changes,
  };
}

/** A channel to write to. Give it a `spillPath` if more than 64 KiB may arrive. */
export function outputSpec(name: string, changes: Partial<ChannelSpec> = {}): ChannelSpec {
  return {
    name,
    type: 0,
    limits: { ...noLimits, writes: 1000, writeBytes: 1e9 },
    fileType: 'pipe',
    etag: false,
    ...changes,
  };
}

export interface World {
  host: WasiHost;
  root: RootFs;
  channels: OpenChannel[];
  /** By channel name. */
  states: Map<string, ChannelState>;
}

export function createWorld(specs: ChannelSpec[], options: Partial<WasiHostOptions> = {}): World {
  const states = new Map<string, ChannelState>();
  const channels = specs.map((spec) => {
    const state = new ChannelState(createChannelState({ writable: spec.limits.writes > 0 }));
    states.set(spec.name, state);
    return openChannel(spec, state);
  });
  const root = options.root ?? new RootFs();
  const host = new WasiHost({ args: ['guest'], env: {}, ...options, channels, root });
  return { host, root, channels, states };
}

/** What a channel holds in the shared buffer; for outputs that did not spill. */
export function heldText(world: World, name: string): string {
  const state = world.states.get(name)!;
  return Buffer.from(state.buffer.subarray(0, state.windowLength)).toString();
}

/** Runs a command module to its end and returns its exit code. */
export function runGuest({ host, channels, root }: World, module: object): number {
  try {
    const instance = new engine.Instance(module as never, host.imports as never);
    host.attach(instance.exports.memory as never);
    (instance.exports._start as () => void)();
    return 0;
  } catch (error) {
    if (error instanceof GuestExit) return error.exitCode;
    throw error;
  } finally {
    for (const channel of channels) channel.finish();
    root.close();
  }
}
