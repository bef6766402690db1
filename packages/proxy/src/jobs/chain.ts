import type { JobRequest } from './admission';
import { parseMap } from './parse';
import { discard, findHeader, type JobResponse, readResponseBody } from './response';

export interface ChainLimits {
  /** Seconds since the start of the first job after which no other is started. */
  chainTimeoutS: number;
  /** Longest answer that is taken as a job. */
  maxConfigBytes: number;
}

/**
 * Runs a job, and as long as the answer is itself a job, that one: the answer's body is the description, its header
 * X-Zerovm-Execute says so. Rights, set-uid and what is left of the payload go along. The last answer is the client's;
 * so is one that came too late or is too long to be run.
 */
export async function runChain(
  first: JobRequest,
  limits: ChainLimits,
  run: (request: JobRequest) => Promise<JobResponse>,
): Promise<JobResponse> {
  const startedAt = performance.now();
  let response = await run(first);
  while (isJob(response, limits) && performance.now() - startedAt < limits.chainTimeoutS * 1000) {
    const { ctx, rights, payload } = first;
    if (ctx.state.signal.aborted) {
      discard(response.body);
      throw ctx.state.signal.reason;
    }
    const description = parseMap(await readResponseBody(response));
    response = await run({ ctx, rights, payload, parsed: { description }, execute: '1.0', isChained: true });
  }
  return response;
}

function isJob(response: JobResponse, { maxConfigBytes }: ChainLimits): boolean {
  return (
    !!findHeader(response, 'x-zerovm-execute') &&
    response.headers['Content-Type'] === 'application/json' &&
    response.sizeBytes <= maxConfigBytes
  );
}
