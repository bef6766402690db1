/** What the thread that inflates says. It is given pieces of input, or `undefined` behind the last one. */
export type FromWorker =
  | { kind: 'input-wanted' }
  | { kind: 'data'; data: Uint8Array }
  | { kind: 'end' }
  | { kind: 'failed'; sentence: string };

/** Shared words on which the thread waits. */
export const signalWords = {
  /** Changes with every piece of input. */
  input: 0,
  /** Pieces of output that may still be sent before one is taken. */
  window: 1,
} as const;

export const windowCount = 4;
export const pieceBytes = 64 * 1024;
