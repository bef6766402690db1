import { Readable } from 'node:stream';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { type DeleteOutcome, TooManyFailures } from './delete-all';
import { findFailure } from './failure';
import { withHeartbeat } from './heartbeat';
import { type BulkFields, findReportType, renderReport, reportContentType, statusText } from './report';

const nothing: DeleteOutcome = { deletedCount: 0, notFoundCount: 0, errors: [], isServerError: false };

/** 200, and what became of the deletions as its body, with spaces before it if they take long. */
export function answerDeletion(
  ctx: SwiftContext,
  deps: Deps,
  everyMs: number,
  run: () => Promise<DeleteOutcome>,
): void {
  const type = findReportType(ctx.req.headers.accept);
  ctx.status = 200;
  ctx.set('Content-Type', reportContentType(type));
  const first = type?.endsWith('/xml') ? '<?xml version="1.0" encoding="UTF-8"?>\n' : ' ';
  const work = async () => {
    const { fields, outcome } = type === undefined ? refused(new HttpError(406, '')) : await outcomeOf(ctx, deps, run);
    return renderReport(type, fields, outcome.errors, 'delete');
  };
  const beats = withHeartbeat(work(), { everyMs, first, separator: '\r\n\r\n' });
  ctx.body = Readable.from(beats, { objectMode: false });
}

interface Told {
  fields: BulkFields;
  outcome: DeleteOutcome;
}

async function outcomeOf(ctx: SwiftContext, { log }: Deps, run: () => Promise<DeleteOutcome>): Promise<Told> {
  try {
    const outcome = await run();
    const { errors, isServerError, deletedCount, notFoundCount } = outcome;
    if (errors.length > 0) return { fields: fieldsOf(isServerError ? 502 : 400, '', outcome), outcome };
    if (deletedCount + notFoundCount > 0) return { fields: fieldsOf(200, '', outcome), outcome };
    return { fields: fieldsOf(400, 'Invalid bulk delete.', outcome), outcome };
  } catch (error) {
    if (error instanceof TooManyFailures) return refused(error, error.outcome);
    const failure = findFailure(error);
    if (failure) return refused(new HttpError(failure.status, failure.sentence));
    if (!ctx.state.signal.aborted) log.error({ txn: ctx.state.transactionId, err: error }, 'bulk delete failed');
    return refused(new HttpError(500, ''));
  }
}

function refused(error: HttpError, outcome = nothing): Told {
  return { fields: fieldsOf(error.status, error.body, outcome), outcome };
}

function fieldsOf(status: number, body: string, { deletedCount, notFoundCount }: DeleteOutcome): BulkFields {
  return {
    'Response Status': statusText(status),
    'Response Body': body,
    'Number Deleted': deletedCount,
    'Number Not Found': notFoundCount,
  };
}
