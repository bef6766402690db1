import { isReadable, isWritable } from '../channels/channel-spec';
import { maxGroupSessions } from '../limits';
import type { Pipe, PipeEnd, Session } from '../session';

/** Why these sessions cannot be joined by these pipes, or undefined. */
export function findGroupProblem(sessions: readonly Session[], pipes: readonly Pipe[]): Error | undefined {
  if (sessions.length === 0) return new RangeError('a group has at least one session');
  if (sessions.length > maxGroupSessions) return new RangeError(`a group has at most ${maxGroupSessions} sessions`);
  if (sessions.some(({ tenant }) => tenant !== sessions[0]!.tenant)) {
    return new RangeError('sessions of two tenants cannot be joined');
  }
  if (sessions.some(({ local }) => local !== undefined)) return new RangeError('a group has no local options');
  const used = new Set<string>();
  for (const { from, to } of pipes) {
    for (const [end, writes] of [[from, true] as const, [to, false] as const]) {
      const key = `${end.session} ${end.channel}`;
      const problem = findEndProblem(sessions, end, writes) ?? (used.has(key) ? 'is an end of two pipes' : undefined);
      if (problem !== undefined) return new RangeError(`channel ${end.channel} of session ${end.session} ${problem}`);
      used.add(key);
    }
  }
  return undefined;
}

function findEndProblem(sessions: readonly Session[], { session, channel }: PipeEnd, writes: boolean) {
  const found = sessions[session]?.channels.find(({ name }) => name === channel);
  if (!found) return 'is not there';
  if (found.type !== 0) return 'is not sequential';
  if (isWritable(found) !== writes || isReadable(found) === writes) return `does not ${writes ? 'write' : 'read'} only`;
  if (found.source || found.discard || found.inherited) return 'has another content';
  return undefined;
}
