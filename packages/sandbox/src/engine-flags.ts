/**
 * V8's flags for all of our processes, whose work is short: requests and sessions, of which nothing stays.
 *
 * - A function is looked at for optimisation after less work than the engine's own 67,584 bytes of bytecode: it took twenty
 *   thousand jobs until everything in their way was fast, and takes three thousand now. Still less changes nothing.
 * - Nothing is made among the old objects because earlier ones of its kind lived long: one scavenge in the middle of a
 *   busy moment decides that for whole graphs of a request, which then wait for a full collection, with all they point to.
 */
export const engineFlags = ['--interrupt-budget=6000', '--no-allocation-site-pretenuring'] as const;
