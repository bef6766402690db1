import { answerDeletion } from '../bulk/answer-deletion';
import { type DeleteTarget, deleteAll } from '../bulk/delete-all';
import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { quoteText } from '../http/percent';
import { isTrueValue, type Query } from '../http/query';
import type { Subrequests } from '../http/subrequest';
import { readWholeBody } from '../http/whole-body';
import { objectPath } from '../objects/object-path';
import { refuseUncheckedConditions } from '../objects/unsupported';
import { rawPathOf } from '../swift-path';
import { segmentPath } from './static-parts';
import { isInManifestForm, type ObjectSegment, type Segment } from './stored-manifest';

/**
 * DELETE `?multipart-manifest=delete`: the segments, those of manifests among them, and then the manifest itself, by
 * deletions with the caller's rights. The answer is that of a bulk delete. With `async=on` the segments must be plain
 * objects of one container, and the answer is that of an ordinary delete.
 */
export async function deleteManifest(
  ctx: SwiftContext,
  deps: Deps,
  subrequests: Subrequests,
  query: Query,
): Promise<void> {
  // The deletions are requests of their own, which know nothing of it.
  refuseUncheckedConditions(ctx);
  const targets = new ManifestTargets(ctx, subrequests, deps.config.largeObjects.maxManifestSegments * 10, query);
  if (isTrueValue(query.get('async'))) {
    await deleteQuietly(ctx, subrequests, await targets.simpleSegments(), query.get('version-id'));
    return;
  }
  answerDeletion(ctx, deps, deps.config.bulk.yieldFrequencyS * 1000, () => {
    return deleteAll(ctx, subrequests, targets.all(), { maxFailed: deps.config.bulk.maxFailedDeletes });
  });
}

/** One after the other for the manifest, so that it goes last and a run that was interrupted can be repeated. */
async function deleteQuietly(
  ctx: SwiftContext,
  subrequests: Subrequests,
  segments: DeleteTarget[],
  versionId: string | undefined,
): Promise<void> {
  const outcome = await deleteAll(ctx, subrequests, segments, { maxFailed: Number.POSITIVE_INFINITY });
  const denied = outcome.errors.find(([, problem]) => /^40[13] /.test(problem));
  if (denied) throw new HttpError(Number(denied[1].slice(0, 3)));
  if (outcome.errors.length > 0) throw new HttpError(503);
  const version = versionId === undefined ? '' : `?version-id=${encodeURIComponent(versionId)}`;
  const answer = await subrequests.send(ctx, { method: 'DELETE', url: rawPathOf(ctx.req.url!) + version });
  ctx.status = answer.status;
  for (const name in answer.headers) ctx.set(name, answer.headers[name]!);
  ctx.body = answer.body;
}

/** What a manifest holds, level by level, as `get_segments_to_delete_iter` of swift/common/middleware/slo.py goes. */
class ManifestTargets {
  constructor(
    private readonly ctx: SwiftContext,
    private readonly subrequests: Subrequests,
    private readonly maxBuffered: number,
    private readonly query: Query,
  ) {}

  async *all(): AsyncGenerator<DeleteTarget> {
    const { container, object } = objectPath(this.ctx);
    const versionId = this.query.get('version-id');
    const queue: (DeleteTarget & { text: string; isManifest: boolean })[] = [];
    const add = (text: string, isManifest: boolean) => queue.push({ name: Buffer.from(text), text, isManifest });
    add(`/${container}/${object}`, true);
    if (versionId !== undefined) queue[0]!.versionId = versionId;
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (!next.isManifest) {
        yield next;
        continue;
      }
      try {
        for (const segment of await this.#segmentsOf(next.text, next.versionId))
          add(segment.name, segment.sub_slo === true);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        next.error = { status: error.status, message: error.body };
      }
      // The manifest goes behind its segments.
      queue.push({ ...next, isManifest: false });
      if (queue.length > this.maxBuffered) throw new HttpError(400, 'Too many buffered slo segments to delete.');
    }
  }

  /** The segments, if they are plain objects of one container. */
  async simpleSegments(): Promise<DeleteTarget[]> {
    const { account, container, object } = objectPath(this.ctx);
    const segments = await this.#segmentsOf(`/${container}/${object}`, this.query.get('version-id'));
    const containers = [...new Set(segments.map(({ name }) => segmentPath(account, name).container))];
    if (containers.length > 1) {
      const list = containers.map((name) => `"${quoteText(name)}"`).join(', ');
      throw plain(400, `All segments must be in one container. Found segments in ${list}`);
    }
    if (segments.some(({ sub_slo }) => sub_slo)) throw plain(400, 'No segments may be large objects.');
    return segments.map(({ name }) => ({ name: Buffer.from(name) }));
  }

  async #segmentsOf(name: string, versionId: string | undefined): Promise<ObjectSegment[]> {
    const { version, account } = this.ctx.state.path;
    const versioned = versionId === undefined ? '' : `&version-id=${encodeURIComponent(versionId)}`;
    const url = `/${version}/${quoteText(account)}${quoteText(name)}?multipart-manifest=get${versioned}`;
    const answer = await this.subrequests.send(this.ctx, { method: 'GET', url });
    const isManifest = answer.status === 200 && isInManifestForm(answer.headers);
    if (!isManifest && !Buffer.isBuffer(answer.body)) answer.body.destroy();
    if (answer.status === 404) throw plain(404, 'SLO manifest not found');
    if (answer.status === 401) throw plain(401, '401 Unauthorized');
    if (answer.status !== 200) throw plain(500, 'Unable to load SLO manifest or segment.');
    if (!isManifest) throw plain(400, 'Not an SLO manifest');
    const segments: Segment[] = JSON.parse((await readWholeBody(answer.body)).toString('utf8'));
    return segments.filter((segment): segment is ObjectSegment => 'name' in segment);
  }
}

function plain(status: number, sentence: string): HttpError {
  return new HttpError(status, sentence, { headers: { 'content-type': htmlType } });
}
