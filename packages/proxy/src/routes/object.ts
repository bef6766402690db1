import type { Deps, SwiftContext } from '../context';
import { HttpError, htmlType } from '../errors';
import { copyObject } from '../objects/copy-object';
import { readDestination } from '../objects/copy-request';
import { objectPath } from '../objects/object-path';
import { getObject, headObject } from '../objects/read-object';
import { deleteObject, postObject, putObject } from '../objects/write-object';

export const objectMethods = 'HEAD, POST, PUT, OPTIONS, DELETE, GET, COPY';

/** Every method on `/v1/<account>/<container>/<object>`, after authentication. */
export function objectRoute(deps: Deps): (ctx: SwiftContext) => Promise<void> {
  return async (ctx) => {
    switch (ctx.method) {
      case 'GET':
        return getObject(ctx, deps);
      case 'HEAD':
        return headObject(ctx, deps);
      case 'PUT':
        return putObject(ctx, deps);
      case 'POST':
        return postObject(ctx, deps);
      case 'DELETE':
        return deleteObject(ctx, deps);
      case 'COPY': {
        const path = objectPath(ctx);
        return copyObject(ctx, deps, path, readDestination(ctx.req.headers, path.account));
      }
      case 'OPTIONS':
        ctx.status = 200;
        ctx.set({ Allow: objectMethods, 'Content-Type': htmlType });
        ctx.body = Buffer.alloc(0);
        return;
      default:
        throw new HttpError(405, undefined, { headers: { allow: objectMethods } });
    }
  };
}
