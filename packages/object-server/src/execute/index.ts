export { createSessionRunner, type SessionRunnerOptions } from './session-runner';
