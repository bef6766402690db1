/** Failures of the host side; what a guest does is never one of these but a `Report`. */
export type SandboxErrorCode =
  | 'system-image-not-found'
  | 'program-not-found'
  | 'bad-image'
  | 'image-too-large'
  | 'source-not-found'
  | 'closed'
  | 'jail-unavailable'
  | 'executor-failed';

export class SandboxError extends Error {
  /** Position of the session of a group that it is about, if it is about one. */
  session?: number;

  constructor(
    readonly code: SandboxErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'SandboxError';
  }
}
