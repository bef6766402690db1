/** Error numbers (Linux) with which ZeroVM exits when a session cannot be started. */
export const sessionCode = {
  noEntry: 2,
  /** A signal to the command, or the end of the guest by one. */
  interrupted: 4,
  io: 5,
  outOfMemory: 12,
  /** Whatever is wrong with a manifest. */
  fault: 14,
  invalid: 22,
  tooManyChannels: 23,
  notSupported: 93,
} as const;

export type SessionCode = (typeof sessionCode)[keyof typeof sessionCode];

/** Why a session ends before it began: its state line and exit code. */
export class SessionError extends Error {
  constructor(
    readonly state: string,
    readonly code: SessionCode,
    options?: ErrorOptions,
  ) {
    super(state, options);
    this.name = 'SessionError';
  }
}
