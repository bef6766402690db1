import type { SwiftContext } from '../context';

/** Of open and api requests, as OPTIONS lists them. */
export const jobMethods = 'GET, HEAD, PUT, POST, DELETE, OPTIONS';

/** True for requests that ask for a job, whatever else they are: the header in any form, or a job's own version. */
export function isJobRequest(ctx: SwiftContext): boolean {
  const { version } = ctx.state.path;
  return ctx.req.headers['x-zerovm-execute'] !== undefined || version === 'open' || version === 'api';
}
