import { type ChannelSpec, isWritable } from '../channels/channel-spec';
import { collectOutput } from '../channels/collect-output';
import type { ChannelState } from '../channels/state';
import { createReport, noAccounting, reportCode } from '../report';
import type { Accounting, Output, Report } from '../session';
import type { CpuSeconds } from './control';

/** What the host measured around the guest. */
export interface Measured {
  cpu: CpuSeconds;
  elapsedMs: number;
}

/** What every writable channel received, in channel order. Works in the guest's thread and after its death. */
export function collectOutputs(
  channels: readonly ChannelSpec[],
  states: readonly ChannelState[],
  inlineBytes: number,
): Output[] {
  const outputs: Output[] = [];
  channels.forEach((spec, index) => {
    if (isWritable(spec)) outputs.push(collectOutput(spec, states[index]!, { inlineBytes }));
  });
  return outputs;
}

/** The counters and checksums of a session whose guest was started. */
export function summarise(
  channels: readonly ChannelSpec[],
  states: readonly ChannelState[],
  outputs: readonly Output[],
  { cpu, elapsedMs }: Measured,
): Pick<Report, 'accounting' | 'etags' | 'elapsedMs'> {
  const accounting: Accounting = { ...noAccounting, ...cpu };
  const etags: Report['etags'] = [];
  let nextOutput = 0;
  for (let i = 0; i < channels.length; i++) {
    const spec = channels[i]!;
    const state = states[i]!;
    addTransfers(accounting, spec, state);
    const output = isWritable(spec) ? outputs[nextOutput++] : undefined;
    const md5 = spec.etag ? (output?.md5 ?? state.digest) : undefined;
    if (md5 !== undefined) etags.push({ name: spec.name, md5 });
  }
  return { accounting, etags, elapsedMs };
}

/** Pipes are the network of a job: they have counters of their own. */
function addTransfers(accounting: Accounting, { pipe }: ChannelSpec, state: ChannelState): void {
  if (pipe === undefined) {
    accounting.reads += state.reads;
    accounting.readBytes += state.readBytes;
    accounting.writes += state.writes;
    accounting.writeBytes += state.writeBytes;
  } else {
    accounting.networkReads += state.reads;
    accounting.networkReadBytes += state.readBytes;
    accounting.networkWrites += state.writes;
    accounting.networkWriteBytes += state.writeBytes;
  }
}

/** The report of a guest that was killed because its time was over. */
export function reportKilled(
  channels: readonly ChannelSpec[],
  states: readonly ChannelState[],
  outputs: readonly Output[],
  measured: Measured,
): Report {
  const summary = summarise(channels, states, outputs, measured);
  return createReport({ ...summary, state: 'session timeout', code: reportCode.interrupted });
}
