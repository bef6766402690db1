import { setFlagsFromString } from 'node:v8';
import { createRing, resetRing, ringBytes } from '../channels/ring';
import { moduleLimits } from '../limits';
import { FrameSource, writeFrame } from './frames';
import { die, GroupThread } from './group-thread';
import { type ExecutorReply, type ExecutorSetup, frameFd, type GroupHeader, type GroupNode } from './protocol';
import { ServerLine } from './server-line';

/**
 * Main thread of a process that runs groups: sessions that are joined by pipes, a thread for each, one group after the other,
 * all of one tenant. It starts the sessions of a group together and reports each by itself. Between groups it waits for the
 * next one; when the server is gone, or anything fails, the process ends.
 */

/** Threads, and bytes of rings, that are kept between groups. */
const keptThreads = 6;
const keptRingBytes = 16 * 1024 * 1024;

const setup = JSON.parse(process.argv[2]!) as ExecutorSetup;
/** Started ahead of the first group. */
const threadsAhead = Number(process.argv[3]);
setFlagsFromString(`--wasm-max-table-size=${moduleLimits.tableEntries}`);
new ServerLine({ onEnd: die });
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGXFSZ', () => undefined);

const requests = new FrameSource(frameFd);
/** Of the last groups, all of one capacity. Made anew for each one they would pile up, for the engine does not hurry to collect shared memory. */
const keptRings: SharedArrayBuffer[] = [];
let keptCapacity = 0;
let threads = Array.from({ length: threadsAhead }, () => new GroupThread(setup, true));
writeFrame(frameFd, { kind: 'ready' } satisfies ExecutorReply);
runGroup();

function runGroup(): void {
  const { nodeCount, ringCount } = read<GroupHeader>();
  const capacityBytes = ringBytes(ringCount);
  const rings = takeRings(ringCount, capacityBytes);
  let running = nodeCount;
  const onReport = (reply: ExecutorReply) => {
    writeFrame(frameFd, reply);
    if (--running > 0) return;
    trim();
    keptRings.push(...rings.slice(0, Math.max(0, keptRingBytes / capacityBytes - keptRings.length)));
    // What this thread still hears of the last group comes first.
    setImmediate(runGroup);
  };
  // Each node is a frame of its own: its bytes are copied to its thread together with the whole frame.
  for (let i = 0; i < nodeCount; i++) {
    const { request, timeoutMs, pipes } = read<GroupNode>();
    for (const { channel, ring } of pipes) request.channels[channel]!.pipe = rings[ring]!;
    takeThread().run({ request, timeoutMs, nodeCount, onReport });
  }
}

function takeRings(count: number, capacityBytes: number): SharedArrayBuffer[] {
  if (capacityBytes !== keptCapacity) keptRings.length = 0;
  keptCapacity = capacityBytes;
  return Array.from({ length: count }, () => {
    const ring = keptRings.pop();
    if (ring) resetRing(ring);
    return ring ?? createRing(capacityBytes);
  });
}

function takeThread(): GroupThread {
  let thread = threads.find(({ isIdle }) => isIdle);
  if (!thread) {
    thread = new GroupThread(setup, false);
    threads.push(thread);
  }
  return thread;
}

/** No session runs now. */
function trim(): void {
  threads = threads.filter(({ isDead }) => !isDead);
  for (const thread of threads.splice(keptThreads)) thread.end();
}

function read<T>(): T {
  const frame = requests.read();
  if (frame === undefined) die();
  return frame as T;
}
