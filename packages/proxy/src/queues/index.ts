import {
  type ContainerEntry,
  type ContainerPath,
  isStorageError,
  type StorageErrorCode,
} from '@zerocloud/object-server';
import { authorizeAccount, authorizeTarget, mayControl } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { findExcessiveLength } from '../http/name-length';
import { respondAccepted, respondEmpty } from '../http/respond';
import { readPolicy } from '../policies/policies';
import { getUploadRoom } from '../quotas/upload-quota';
import { findMessageName, queuePrefix } from './message-name';
import { Queue } from './queue';
import { findClientId, getClientId, readMessage, readQueueQuery } from './requests';

export const queueMethods = 'GET, PUT, POST, DELETE, OPTIONS';

/**
 * Message queues, `/queue/<account>[/<queue>[/…]]`, as ZeroCloud had them. A queue is a container `.queue_<name>`; its
 * ACLs say who may look (listing), and who may add, claim and delete (writing).
 */
export function queueRoute(deps: Deps): (ctx: SwiftContext) => Promise<void> {
  const { node, config } = deps;
  const limits = config.queues;
  const messageBounds = { limit: limits.maxMessageListing, ttlS: limits.maxMessageTtlS };
  const claimBounds = { limit: limits.maxClaimCount, ttlS: limits.maxClaimTtlS };

  return (ctx) => {
    const { container: queue, object: rest } = ctx.state.path;
    switch (ctx.method) {
      case 'GET':
        if (queue === undefined) return listQueues(ctx);
        if (rest === 'message') return listMessages(ctx);
        break;
      case 'PUT':
        if (queue !== undefined && rest === undefined) return createQueue(ctx);
        break;
      case 'POST':
        if (rest === 'message') return addMessage(ctx);
        if (rest === 'claim') return claimMessages(ctx);
        if (rest?.startsWith('claim/')) return extendClaim(ctx, rest.slice('claim/'.length));
        break;
      case 'DELETE':
        if (queue !== undefined && rest === undefined) return deleteQueue(ctx);
        if (rest?.startsWith('message/')) return deleteMessage(ctx, rest.slice('message/'.length));
        if (rest?.startsWith('claim/')) return releaseClaim(ctx, rest.slice('claim/'.length));
    }
    throw new HttpError(422);
  };

  async function listQueues(ctx: SwiftContext): Promise<void> {
    const { account } = ctx.state.path;
    if (!mayControl(ctx.state, account)) await authorizeAccount(ctx, deps, account, 'read-only');
    const queues: Record<string, { message_count: number }> = Object.create(null);
    const limit = config.limits.accountListingLimit;
    let marker: string | undefined;
    for (;;) {
      const page = (await node.listContainers(account, { limit, marker, prefix: queuePrefix })) as ContainerEntry[];
      for (const { name, objectCount } of page) queues[name.slice(queuePrefix.length)] = { message_count: objectCount };
      if (page.length < limit) break;
      marker = page.at(-1)!.name;
    }
    respondJson(ctx, 200, queues);
  }

  async function createQueue(ctx: SwiftContext): Promise<void> {
    const path = containerOf(ctx);
    await failWith(`Failed to create queue ${nameOf(ctx)}`, async () => {
      await authorizeAccount(ctx, deps, path.account, 'read-write');
      if (findExcessiveLength(path.container, config.limits.maxContainerNameLength) !== undefined)
        throw new HttpError(400);
      const { created } = await makeContainer(path, ctx.state.timestamp);
      if (created) respondEmpty(ctx, 201);
      else respondAccepted(ctx);
    });
  }

  /** A queue that is there keeps its policy. */
  async function makeContainer(path: ContainerPath, timestamp: string): Promise<{ created: boolean }> {
    const policy = readPolicy(limits.queueStoragePolicy);
    try {
      return await node.putContainer(path, { timestamp, metadata: {}, settings: { policy } });
    } catch (error) {
      if (!isStorageError(error, 'policyConflict')) throw error;
      return node.putContainer(path, { timestamp, metadata: {} });
    }
  }

  async function deleteQueue(ctx: SwiftContext): Promise<void> {
    const path = containerOf(ctx);
    await failWith(`Failed to delete queue ${nameOf(ctx)}`, async () => {
      await authorizeAccount(ctx, deps, path.account, 'read-write');
      await node.deleteContainer(path);
    });
    respondEmpty(ctx, 204);
  }

  async function addMessage(ctx: SwiftContext): Promise<void> {
    const author = getClientId(ctx);
    await authorize(ctx, 'write');
    const { ttlS } = readQueueQuery(ctx, messageBounds);
    const { json, data } = await readMessage(ctx, deps, limits);
    await demandRoom(containerOf(ctx), json.length);
    const message = await failWith(`Failed to put message into ${nameOf(ctx)}`, () =>
      queueOf(ctx).add(json, data, author, { now: ctx.state.timestamp, ttlS }),
    );
    respondJson(ctx, 201, message);
  }

  /** A message is an upload: 413 when quotas leave no room for it. */
  async function demandRoom(path: ContainerPath, sizeBytes: number): Promise<void> {
    const [container, account] = await Promise.all([node.findContainer(path), node.findAccount(path.account)]);
    if (container) getUploadRoom(account, container, sizeBytes, sizeBytes);
  }

  async function listMessages(ctx: SwiftContext): Promise<void> {
    await authorize(ctx, 'read');
    const { limit, echo } = readQueueQuery(ctx, messageBounds);
    const notFrom = echo ? undefined : findClientId(ctx);
    respondJson(ctx, 200, await queueOf(ctx).list({ now: ctx.state.timestamp, limit, notFrom }));
  }

  async function claimMessages(ctx: SwiftContext): Promise<void> {
    const client = getClientId(ctx);
    await authorize(ctx, 'read', 'write');
    const { limit, ttlS, echo } = readQueueQuery(ctx, claimBounds);
    const options = { now: ctx.state.timestamp, limit, notFrom: echo ? undefined : client };
    respondJson(ctx, 200, await queueOf(ctx).claim(client, ttlS, options));
  }

  async function extendClaim(ctx: SwiftContext, claimId: string, ttlS?: number): Promise<void> {
    const client = getClientId(ctx);
    if (!claimId.endsWith(`/${client}`)) throw new HttpError(412, 'Client-Id does not match claim id');
    await authorize(ctx, 'read', 'write');
    const claim = findMessageName(claimId);
    const seconds = ttlS ?? readQueueQuery(ctx, claimBounds).ttlS;
    const message = claim && (await queueOf(ctx).extend(claim, seconds, ctx.state.timestamp));
    if (!message) throw new HttpError(404);
    respondJson(ctx, 200, message);
  }

  async function releaseClaim(ctx: SwiftContext, claimId: string): Promise<void> {
    await extendClaim(ctx, claimId, 0);
    ctx.body = undefined;
    respondEmpty(ctx, 204);
  }

  async function deleteMessage(ctx: SwiftContext, claimId: string): Promise<void> {
    await authorize(ctx, 'write');
    await failWith(`Failed to delete message ${claimId} from ${nameOf(ctx)}`, () =>
      node.deleteObject({ ...containerOf(ctx), object: claimId }, { timestamp: ctx.state.timestamp }),
    );
    respondEmpty(ctx, 204);
  }

  async function authorize(ctx: SwiftContext, ...accesses: ('read' | 'write')[]): Promise<void> {
    for (const access of accesses) await authorizeTarget(ctx, deps, containerOf(ctx), access);
  }

  function queueOf(ctx: SwiftContext): Queue {
    return new Queue(node, containerOf(ctx), limits.maxMessageBytes);
  }
}

function containerOf(ctx: SwiftContext): { account: string; container: string } {
  const { account, container } = ctx.state.path;
  return { account, container: container! };
}

function nameOf(ctx: SwiftContext): string {
  return ctx.state.path.container!.slice(queuePrefix.length);
}

const statuses: Partial<Record<StorageErrorCode, number>> = {
  accountNotFound: 404,
  accountDeleted: 410,
  containerNotFound: 404,
  containerNotEmpty: 409,
  objectNotFound: 404,
};

/** The store's own status, with a sentence of the queue's. */
async function failWith<T>(sentence: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const { status, headers } =
      error instanceof HttpError
        ? error
        : { status: isStorageError(error) ? statuses[error.code] : undefined, headers: {} };
    if (status === undefined) throw error;
    const kept = { ...headers, 'content-type': 'text/plain; charset=utf-8' };
    throw new HttpError(status, sentence, { headers: kept, cause: error });
  }
}

function respondJson(ctx: SwiftContext, status: number, value: unknown): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.body = Buffer.from(JSON.stringify(value));
}
