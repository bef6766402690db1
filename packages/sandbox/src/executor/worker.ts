import { parentPort, workerData } from 'node:worker_threads';
import { answerSession } from './answer';
import { Control } from './control';
import { FrameSource, writeFrame } from './frames';
import { type ExecutorReply, type ExecutorSetup, frameFd, type RestMessage, type SessionRequest } from './protocol';
import { SessionRunner } from './run-session';
import { warmUp } from './warm-up';

/**
 * The thread that runs guests, one session after the other: reads a request, runs it, writes the reply, all synchronously.
 * Its event loop never turns. When the server closes the socket, or the thread is killed, the whole process ends.
 */

interface WorkerData {
  setup: ExecutorSetup;
  control: SharedArrayBuffer;
  states: SharedArrayBuffer[];
}

const { setup, control: sharedControl, states } = workerData as WorkerData;
const control = new Control(sharedControl);
const runner = new SessionRunner({ setup, control, states, onNewState: (state) => parentPort!.postMessage(state) });
const requests = new FrameSource(frameFd);

warmUp(runner, setup);
writeFrame(frameFd, { kind: 'ready' } satisfies ExecutorReply);
for (;;) {
  const message = requests.read() as SessionRequest | RestMessage | undefined;
  if (!message) break;
  if ('kind' in message) {
    runner.rest();
    control.rest();
    continue;
  }
  const reply = answerSession(runner, control, message);
  control.idle();
  writeFrame(frameFd, reply);
  runner.settle();
  control.rest();
}
process.kill(process.pid, 'SIGKILL');
