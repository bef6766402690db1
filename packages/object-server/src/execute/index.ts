export { createGroupRunner } from './group-runner';
export { createSessionRunner, type SessionRunnerOptions } from './session-runner';
