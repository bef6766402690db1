import type { Router } from '@koa/router';
import type { ObjectServerDeps } from '../app';
import { StorageError } from '../errors';
import { parseJson, readJson } from '../wire/json-body';
import { inlineBodyBytes, leaseHeader, optionsHeader, recordHeader, toHeader } from '../wire/protocol';
import { appendRequest, copyRequest, deleteOptions, putOptions, restoreRequest, updateOptions } from '../wire/schemas';
import { objectPath, receiveBody } from './request';

export function objectRoutes(router: Router, { node, leases }: ObjectServerDeps): void {
  const resource = '/:account/:container/:object';
  router.get(`/records${resource}`, async (ctx) => {
    const record = await node.findObject(objectPath(ctx));
    if (!record) {
      throw objectNotFound();
    }
    ctx.body = record;
  });
  router.get(`/objects${resource}`, async (ctx) => {
    const opened = await node.openObject(objectPath(ctx));
    if (!opened) {
      throw objectNotFound();
    }
    ctx.set(recordHeader, toHeader(opened.record));
    if (opened.record.sizeBytes > inlineBodyBytes) {
      ctx.set(leaseHeader, leases.grant(opened));
      ctx.status = 204;
      return;
    }
    try {
      ctx.body = await opened.read();
    } finally {
      opened.close();
    }
  });
  router.put(`/objects${resource}`, async (ctx) => {
    const options = parseJson(ctx.get(optionsHeader), putOptions);
    ctx.body = await node.putObject(objectPath(ctx), receiveBody(ctx), options);
  });
  router.post(`/objects${resource}`, async (ctx) => {
    ctx.body = await node.updateObject(objectPath(ctx), await readJson(ctx.req, updateOptions));
  });
  router.delete(`/objects${resource}`, async (ctx) => {
    ctx.body = await node.deleteObject(objectPath(ctx), parseJson(ctx.get(optionsHeader), deleteOptions));
  });
  router.post('/appends', async (ctx) => {
    const { path, data, options } = await readJson(ctx.req, appendRequest);
    ctx.body = await node.appendObject(path, data, options);
  });
  router.post('/restores', async (ctx) => {
    const { path, options } = await readJson(ctx.req, restoreRequest);
    ctx.body = await node.restoreVersion(path, options);
  });
  router.post('/copies', async (ctx) => {
    const { source, target, options } = await readJson(ctx.req, copyRequest);
    ctx.body = await node.copyObject(source, target, options);
  });
}

function objectNotFound(): StorageError {
  return new StorageError('objectNotFound', 'The object does not exist.');
}
