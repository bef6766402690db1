import { type ChannelSpec, findChannelProblem } from '../channels/channel-spec';
import { pageBytes } from '../limits';
import { reportCode } from '../report';
import type { Report } from '../session';
import type { LoadedProgram } from './program';
import type { SessionRequest } from './protocol';

/** What is looked at of a program that was loaded, or goes on from a snapshot. */
type CheckedProgram =
  | Extract<LoadedProgram, { kind: 'refused' }>
  | { kind: 'ready' | 'snapshot'; trusted: boolean; module: { minPages: number } };

/** What is wrong with a session before its guest starts, as ZeroVM reports it. */
export function findRefusal(request: SessionRequest, program: CheckedProgram): Partial<Report> | undefined {
  if (program.kind === 'refused') {
    return { validation: 1, state: 'validation failed', code: reportCode.refusedProgram, detail: program.reason };
  }
  const validation = program.trusted ? 2 : 0;
  if (program.module.minPages * pageBytes > request.memoryBytes) {
    return { validation, state: 'user heap size is too small', code: reportCode.memory };
  }
  const problem = findProblem(request.channels);
  if (problem === undefined) return undefined;
  const code = problem.startsWith('negative') ? reportCode.badManifest : reportCode.badChannel;
  return { validation, state: problem, code };
}

function findProblem(channels: readonly ChannelSpec[]): string | undefined {
  for (const channel of channels) {
    const problem = findChannelProblem(channel);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
