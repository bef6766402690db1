/** GET of a static large object of 256 segments of 1 MiB, against GET of one object of the same size. */
import { filler, send } from '../http.mjs';
import { call } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const segmentBytes = 1 << 20;
const segmentCount = 256;
const sizeBytes = segmentBytes * segmentCount;

async function throughput(server, target) {
  const startedAt = performance.now();
  const answer = await send(server.port, 'GET', `${server.account}${target}`, {
    headers: { 'x-auth-token': server.token },
  });
  if (answer.status !== 200 || answer.bytes !== sizeBytes)
    throw new Error(`${target}: ${answer.status} ${answer.bytes}`);
  return sizeBytes / 1e6 / ((performance.now() - startedAt) / 1000);
}

export async function getStaticLargeObject({ server }) {
  await call(server, 'PUT', '/bench-slo');
  const { value: segment } = await filler(segmentBytes).next();
  const manifest = [];
  for (let i = 0; i < segmentCount; i++) {
    await call(server, 'PUT', `/bench-slo/segment-${i}`, { body: segment });
    manifest.push({ path: `/bench-slo/segment-${i}` });
  }
  await call(server, 'PUT', '/bench-slo/large?multipart-manifest=put', { body: JSON.stringify(manifest) });
  const headers = { 'x-auth-token': server.token, 'content-length': String(sizeBytes) };
  await send(server.port, 'PUT', `${server.account}/bench-slo/plain`, { headers, body: filler(sizeBytes) });
  const { ours, floor: base } = await inTurns(
    7,
    () => throughput(server, '/bench-slo/large'),
    () => throughput(server, '/bench-slo/plain'),
  );
  return {
    name: 'GET of 256 segments of 1 MiB, against one object of 256 MiB',
    unit: 'MB/s',
    ours,
    floor: base,
    ratio: ours / base,
    reach: '>= 0.8',
    ok: ours / base >= 0.8,
  };
}
