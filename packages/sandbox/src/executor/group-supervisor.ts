import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { isWritable } from '../channels/channel-spec';
import { createRing, Ring } from '../channels/ring';
import { ChannelState, createChannelState } from '../channels/state';
import {
  maxSetupMs,
  moduleLimits,
  terminateGraceMs,
  workerHeapMiB,
  workerStackMiB,
  workerYoungHeapMiB,
} from '../limits';
import type { Report } from '../session';
import { Control, createControl, nowMs, phase } from './control';
import { FrameSource, writeFrame } from './frames';
import type { GroupWorkerData } from './group-worker';
import { collectOutputs, reportKilled } from './outcome';
import { type ExecutorReply, type ExecutorSetup, frameFd, type GroupHeader, type GroupNode } from './protocol';

/**
 * Main thread of a process that runs one group: sessions that are joined by pipes, a thread for each. It starts them together,
 * keeps their time, and reports each by itself. Whatever becomes of a session, its ends of its pipes are ended, so that
 * no other one waits for it. The server ends the process when it has heard of all.
 */

const setup = JSON.parse(process.argv[2]!) as ExecutorSetup;
setFlagsFromString(`--wasm-max-table-size=${moduleLimits.tableEntries}`);
process.on('disconnect', die);
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGXFSZ', () => undefined);

const requests = new FrameSource(frameFd);
const header = read<GroupHeader>();
const rings = Array.from({ length: header.ringCount }, () => createRing());
// Each node is a frame of its own: its bytes are copied to its thread together with the whole frame.
for (let i = 0; i < header.nodeCount; i++) start(read<GroupNode>());
writeFrame(frameFd, { kind: 'ready' } satisfies ExecutorReply);

function read<T>(): T {
  const frame = requests.read();
  if (frame === undefined) die();
  return frame as T;
}

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
}

function start({ request, timeoutMs, pipes }: GroupNode): void {
  for (const { channel, ring } of pipes) request.channels[channel]!.pipe = rings[ring]!;
  const { id, channels } = request;
  const control = new Control(createControl());
  const states = channels.map((spec) => createChannelState({ writable: isWritable(spec) }));
  const startedAtMs = nowMs();
  const workerData: GroupWorkerData = { setup, request, control: control.shared, states };
  const worker = new Worker(path.join(__dirname, 'group-worker.js'), {
    workerData,
    env: {},
    resourceLimits: {
      maxOldGenerationSizeMb: workerHeapMiB,
      maxYoungGenerationSizeMb: workerYoungHeapMiB,
      stackSizeMb: workerStackMiB,
    },
  });
  let reported = false;
  let timer = setTimeout(checkDeadline, timeoutMs);
  worker.on('message', report);
  worker.on('error', (error) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`));
  worker.on('exit', () => {
    // Of a thread that says nothing (no memory is left for the host's part of it) is known what it had transferred.
    if (!reported && control.phase !== phase.killed) reportDead('sandbox process died');
  });

  function report(reply: ExecutorReply): void {
    if (reported) return;
    reported = true;
    clearTimeout(timer);
    endPipes(request.channels);
    if (reply.kind === 'done') shareCpu(reply.report);
    writeFrame(frameFd, reply);
  }

  function reportDead(state: string): void {
    const views = states.map((state) => new ChannelState(state));
    const elapsedMs = nowMs() - (control.startedAtMs || startedAtMs);
    const outputs = collectOutputs(channels, views, setup.inlineOutputBytes);
    const killed = reportKilled(channels, views, outputs, { cpu: control.cpuSinceBegin(), elapsedMs });
    report({ kind: 'done', id, report: { ...killed, state }, outputs, evicted: [], last: true });
  }

  /** A guest that has not started yet has all of its time before it. */
  function checkDeadline(): void {
    const current = control.phase;
    if (reported || current === phase.finishing) return;
    const running = current === phase.running;
    const overAtMs = running ? control.startedAtMs + timeoutMs : startedAtMs + maxSetupMs;
    const leftMs = overAtMs - nowMs();
    if (leftMs > 0) {
      timer = setTimeout(checkDeadline, Math.max(1, Math.ceil(running ? leftMs : Math.min(leftMs, timeoutMs))));
      return;
    }
    if (current === phase.idle || !control.advance(current, phase.killed)) {
      // Not even begun after all that time; or it changes right now, and is looked at again.
      if (current === phase.idle) die();
      timer = setTimeout(checkDeadline, 1);
      return;
    }
    timer = setTimeout(die, terminateGraceMs);
    void worker.terminate().then(() => reportDead('session timeout'));
  }
}

function endPipes(channels: GroupNode['request']['channels']): void {
  for (const spec of channels) {
    if (spec.pipe === undefined) continue;
    const ring = new Ring(spec.pipe);
    if (isWritable(spec)) ring.endWriter();
    else ring.endReader();
  }
}

/** The system counts the time of the whole process: each session is given the same part of what was used while it ran. */
function shareCpu({ accounting }: Report): void {
  accounting.userSeconds /= header.nodeCount;
  accounting.systemSeconds /= header.nodeCount;
}
