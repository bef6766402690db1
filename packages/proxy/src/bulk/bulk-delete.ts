import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { unquoteBytes } from '../http/percent';
import type { Subrequests } from '../http/subrequest';
import { UploadBody } from '../objects/upload-body';
import { answerDeletion } from './answer-deletion';
import { type DeleteTarget, deleteAll } from './delete-all';

/**
 * Deletes what the lines of the body name, `container/object` or `container`, percent-encoded. Nothing is deleted before
 * all names have come, so that a list that is too long changes nothing.
 */
export function bulkDelete(ctx: SwiftContext, deps: Deps, subrequests: Subrequests): void {
  answerDeletion(ctx, deps, deps.config.bulk.yieldFrequencyS * 1000, async () => {
    const type = ctx.req.headers['content-type'];
    if (type && !type.startsWith('text/plain')) throw new HttpError(406, '');
    const { maxFailedDeletes } = deps.config.bulk;
    return deleteAll(ctx, subrequests, await readNames(ctx, deps), { maxFailed: maxFailedDeletes });
  });
}

async function readNames(ctx: SwiftContext, deps: Deps): Promise<DeleteTarget[]> {
  const { headers } = ctx.req;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    throw new HttpError(411, '');
  const { maxDeletesPerRequest } = deps.config.bulk;
  const { maxObjectNameLength, maxContainerNameLength } = deps.config.limits;
  const maxLineBytes = 2 * (maxObjectNameLength + maxContainerNameLength + 2);
  const names: DeleteTarget[] = [];
  const add = (line: Buffer) => {
    const name = unquoteBytes(trimmed(line));
    if (name.length > 0) names.push({ name });
    if (names.length > maxDeletesPerRequest) {
      throw new HttpError(413, `Maximum Bulk Deletes: ${maxDeletesPerRequest} per request`);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of new UploadBody(ctx.req, deps.config.timeouts)) {
    const bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', start)) {
      if (end - start > maxLineBytes) throw new HttpError(400, 'Invalid File Name');
      add(bytes.subarray(start, end));
      start = end + 1;
    }
    // What is left may be a view of a large buffer: only its own bytes are kept.
    rest = Buffer.from(bytes.subarray(start));
    if (rest.length > maxLineBytes) throw new HttpError(400, 'Invalid File Name');
  }
  add(rest);
  return names;
}

/** Without the white space around it. */
function trimmed(line: Buffer): Buffer {
  const text = line.toString('latin1');
  return Buffer.from(text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, ''), 'latin1');
}
