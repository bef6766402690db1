/** A thread that runs one session as an executor's does, and sends the reply. */
const { parentPort, workerData } = require('node:worker_threads');
const { Control } = require('@zerocloud/sandbox/executor/control');
const { SessionRunner } = require('@zerocloud/sandbox/executor/run-session');

const { request, control, states } = workerData;
const setup = { systemImages: [], inlineOutputBytes: 65_536 };
const runner = new SessionRunner({ setup, control: new Control(control), states, onNewState: () => undefined });
parentPort.postMessage(runner.run(request));
