import { parentPort, workerData } from 'node:worker_threads';
import { answerSession } from './answer';
import { Control } from './control';
import type { ExecutorSetup, SessionRequest } from './protocol';
import { SessionRunner } from './run-session';

/** A thread of a group: runs one session and ends. It never blocks but in guest code and in pipes, so it can be terminated. */

export interface GroupWorkerData {
  setup: ExecutorSetup;
  /** With the rings of its pipes in their channels. */
  request: SessionRequest;
  control: SharedArrayBuffer;
  /** One for each channel. */
  states: SharedArrayBuffer[];
}

const { setup, request, control: shared, states } = workerData as GroupWorkerData;
const control = new Control(shared);
const runner = new SessionRunner({
  setup,
  control,
  states,
  onNewState: () => {
    throw new Error('a channel without a state');
  },
});
parentPort!.postMessage(answerSession(runner, control, request));
