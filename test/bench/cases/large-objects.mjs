/** GET and PUT of 256 MiB over one connection, against node:http piping from and to a file. */
import { open } from 'node:fs/promises';
import path from 'node:path';
import { filler, send } from '../http.mjs';
import { call } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const sizeBytes = 256 << 20;

async function throughput(port, method, target, headers, withBody) {
  const startedAt = performance.now();
  const body = withBody ? filler(sizeBytes) : undefined;
  const lengths = withBody ? { 'content-length': String(sizeBytes) } : {};
  const answer = await send(port, method, target, { headers: { ...headers, ...lengths }, body });
  if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status}`);
  if (!withBody && answer.bytes !== sizeBytes) throw new Error(`${method} ${target}: ${answer.bytes} bytes`);
  return sizeBytes / 1e6 / ((performance.now() - startedAt) / 1000);
}

export async function putLarge({ server, floor }) {
  await call(server, 'PUT', '/bench-large');
  const headers = { 'x-auth-token': server.token };
  const { ours, floor: base } = await inTurns(
    5,
    () => throughput(server.port, 'PUT', `${server.account}/bench-large/object`, headers, true),
    () => throughput(floor.port, 'PUT', '/file', {}, true),
  );
  return {
    name: 'PUT 256 MiB, one connection',
    unit: 'MB/s',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '>= 0.6',
    ok: ours / base >= 0.6,
  };
}

export async function getLarge({ server, floor, floorDir }) {
  await call(server, 'PUT', '/bench-large');
  const headers = { 'x-auth-token': server.token };
  await throughput(server.port, 'PUT', `${server.account}/bench-large/object`, headers, true);
  const file = await open(path.join(floorDir, 'get'), 'w');
  for await (const chunk of filler(sizeBytes)) await file.write(chunk);
  await file.close();
  const { ours, floor: base } = await inTurns(
    7,
    () => throughput(server.port, 'GET', `${server.account}/bench-large/object`, headers, false),
    () => throughput(floor.port, 'GET', '/file', {}, false),
  );
  return {
    name: 'GET 256 MiB, one connection',
    unit: 'MB/s',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '>= 0.8',
    ok: ours / base >= 0.8,
  };
}
