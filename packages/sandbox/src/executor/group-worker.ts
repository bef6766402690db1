import { parentPort, workerData } from 'node:worker_threads';
import { answerSession } from './answer';
import { Control } from './control';
import type { ExecutorSetup, SessionRequest } from './protocol';
import { SessionRunner } from './run-session';
import { warmUp } from './warm-up';

/**
 * A thread of a process for groups: runs one session after the other, each of another group. It never blocks but in guest code
 * and in pipes, so it can be terminated.
 */

export interface GroupWorkerData {
  setup: ExecutorSetup;
  control: SharedArrayBuffer;
  /** Of the first channels of each session. */
  states: SharedArrayBuffer[];
  /** Run the programs of system images once before the first session. */
  warm: boolean;
}

const { setup, control: shared, states, warm } = workerData as GroupWorkerData;
const control = new Control(shared);
const runner = new SessionRunner({ setup, control, states, onNewState: (state) => parentPort!.postMessage(state) });
if (warm) {
  warmUp(runner, setup);
  control.idle();
}
parentPort!.on('message', (request: SessionRequest) => {
  const reply = answerSession(runner, control, request);
  control.idle();
  parentPort!.postMessage(reply);
  runner.settle();
});
