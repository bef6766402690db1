import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { ChannelState, createChannelState } from '../channels/state';
import {
  maxFinishMs,
  maxSetupMs,
  maxTerminationMs,
  moduleLimits,
  terminateGraceMs,
  workerHeapMiB,
  workerStackMiB,
  workerYoungHeapMiB,
} from '../limits';
import { Control, createControl, nowMs, phase } from './control';
import { writeFrame } from './frames';
import { collectOutputs, reportKilled } from './outcome';
import { type DeadlineMessage, type ExecutorReply, type ExecutorSetup, frameFd, type StatusMessage } from './protocol';
import { ServerLine } from './server-line';

/**
 * Main thread of an executor process. It runs no guest code: it starts the one thread that does, waits for the server to
 * say that a session's time may be over, and kills the thread if it is. It also sees to it that the process never
 * outlives its server, and ends it after any failure; a process is replaced, not repaired.
 */

/** Channel states made ahead; sessions with more channels add to them. */
const initialStates = 8;

const setup = JSON.parse(process.argv[2]!) as ExecutorSetup;
const control = new Control(createControl());
const states = Array.from({ length: initialStates }, () => createChannelState({ writable: true }));

// Behind the admission check: whatever grows a table is stopped by the engine before it aborts the process.
setFlagsFromString(`--wasm-max-table-size=${moduleLimits.tableEntries}`);

const worker = new Worker(path.join(__dirname, 'worker.js'), {
  workerData: { setup, control: control.shared, states },
  env: {},
  resourceLimits: {
    maxOldGenerationSizeMb: workerHeapMiB,
    maxYoungGenerationSizeMb: workerYoungHeapMiB,
    stackSizeMb: workerStackMiB,
  },
});
worker.on('message', (state: SharedArrayBuffer) => states.push(state));
worker.on('error', (error) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  die();
});
worker.on('exit', () => {
  if (control.phase !== phase.killed) die();
});

const line = new ServerLine({ onMessage: (message) => checkDeadline(message as DeadlineMessage), onEnd: die });
// A Ctrl-C in the server's terminal reaches the whole group; the server decides when its sessions end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
// A write beyond the largest file fails with an error, which is the guest's; without this the signal ends the process.
process.on('SIGXFSZ', () => undefined);

/** SIGKILL: the thread may be blocked in a read, where nothing gentler ends it. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function checkDeadline(message: DeadlineMessage): void {
  if (control.session < message.id) {
    // The thread has not even read the request yet.
    setTimeout(() => checkDeadline(message), 5);
    return;
  }
  if (control.session > message.id) return;
  const current = control.phase;
  if (current === phase.finishing) sendStatus(message.id, maxFinishMs);
  if (current !== phase.setup && current !== phase.running) return;
  // A guest that has not started yet has all of its time before it.
  const overAtMs =
    current === phase.running
      ? control.startedAtMs + message.timeoutMs
      : Math.min(nowMs() + message.timeoutMs, control.setupAtMs + maxSetupMs);
  const leftMs = overAtMs - nowMs();
  if (leftMs <= 0 && control.advance(current, phase.killed)) {
    sendStatus(message.id, maxTerminationMs);
    void endSession(message, current === phase.running);
    return;
  }
  const recheckMs = Math.max(Math.ceil(leftMs), 1);
  sendStatus(message.id, recheckMs + terminateGraceMs);
  setTimeout(() => checkDeadline(message), recheckMs);
}

/** Kills the guest and reports in its place, with the counters and outputs it left in shared memory. */
async function endSession({ id, channels }: DeadlineMessage, started: boolean): Promise<void> {
  const elapsedMs = started ? nowMs() - control.startedAtMs : 0;
  const cpu = control.cpuSinceBegin();
  await terminateWorker(channels);
  sendStatus(id, maxFinishMs);
  const views = channels.map((_, index) => new ChannelState(states[index]!));
  const outputs = collectOutputs(channels, views, setup.inlineOutputBytes);
  const report = reportKilled(channels, views, outputs, { cpu, elapsedMs });
  const reply: ExecutorReply = { kind: 'done', id, report, outputs, evicted: [], last: true };
  writeFrame(frameFd, reply);
}

/**
 * A thread that waits for bytes of a stream cannot be terminated. It runs no guest code any more, and ends with the process
 * once the report is out; all there is to know of its channels is in shared memory.
 */
async function terminateWorker(channels: DeadlineMessage['channels']): Promise<void> {
  const ended = worker.terminate();
  if (!channels.some(({ inherited }) => inherited?.kind === 'stream')) await ended;
  else await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, terminateGraceMs / 2))]);
}

function sendStatus(id: number, graceMs: number): void {
  const status: StatusMessage = { kind: 'status', id, graceMs };
  line.send(status);
}
