/** Durable PUT and GET of 4 KiB over 32 connections, against bare node:http doing the same. */
import { runLoad } from '../load.mjs';
import { call } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const connections = 32;
const durationMs = 3000;

export async function putSmall({ server, floor }) {
  await call(server, 'PUT', '/bench-put');
  const body = Buffer.alloc(4096, 'x');
  const headers = { 'x-auth-token': server.token, 'content-type': 'application/octet-stream' };
  let round = 0;
  const { ours, floor: base } = await inTurns(
    5,
    async () =>
      (
        await runLoad({
          port: server.port,
          connections,
          durationMs,
          method: 'PUT',
          path: `${server.account}/bench-put/${round++}-{n}`,
          headers,
          body,
          expect: 201,
        })
      ).perSecond,
    async () =>
      (
        await runLoad({
          port: floor.port,
          connections,
          durationMs,
          method: 'PUT',
          path: `/batch/${round++}-{n}`,
          body,
          expect: 201,
        })
      ).perSecond,
  );
  return {
    name: 'durable PUT 4 KiB, 32 connections',
    unit: 'PUT/s',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '>= 0.6',
    ok: ours / base >= 0.6,
  };
}

export async function getSmall({ server, floor }) {
  await call(server, 'PUT', '/bench-get');
  await call(server, 'PUT', '/bench-get/object', { body: Buffer.alloc(4096, 'x') });
  const headers = { 'x-auth-token': server.token };
  const { ours, floor: base } = await inTurns(
    5,
    async () =>
      (
        await runLoad({
          port: server.port,
          connections,
          durationMs,
          method: 'GET',
          path: `${server.account}/bench-get/object`,
          headers,
          expect: 200,
        })
      ).perSecond,
    async () =>
      (await runLoad({ port: floor.port, connections, durationMs, method: 'GET', path: '/memory', expect: 200 }))
        .perSecond,
  );
  return {
    name: 'GET 4 KiB, 32 connections',
    unit: 'GET/s',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '>= 0.5',
    ok: ours / base >= 0.5,
  };
}

/** What a client that writes one object after another gains by the policy that syncs once a second. */
export async function putRelaxed({ server }) {
  await call(server, 'PUT', '/bench-synced');
  await call(server, 'PUT', '/bench-relaxed', { headers: { 'x-storage-policy': 'relaxed' } });
  const body = Buffer.alloc(4096, 'x');
  const headers = { 'x-auth-token': server.token, 'content-type': 'application/octet-stream' };
  let round = 0;
  const measure = async (container) =>
    (
      await runLoad({
        port: server.port,
        connections: 1,
        durationMs,
        method: 'PUT',
        path: `${server.account}/${container}/${round++}-{n}`,
        headers,
        body,
        expect: 201,
      })
    ).perSecond;
  const { ours, floor } = await inTurns(
    5,
    () => measure('bench-relaxed'),
    () => measure('bench-synced'),
  );
  const ratio = ours / floor;
  const name = 'relaxed PUT 4 KiB, one connection, beside durable ones';
  return { name, unit: 'PUT/s', ours, floor, ratio, reach: '>= 1.2', ok: ratio >= 1.2 };
}
