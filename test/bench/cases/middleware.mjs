/** What the whole list of middleware costs a small PUT, beside the few without which there is none. */
import path from 'node:path';
import { runLoad } from '../load.mjs';
import { call, startServer } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const connections = 32;
const durationMs = 3000;

export async function middleware({ server, workDir }) {
  const bare = await startServer(path.join(workDir, 'bare'), {}, 'test/bench/bare-proxy.mjs');
  try {
    const body = Buffer.alloc(4096, 'x');
    let round = 0;
    const measure = async (target) =>
      (
        await runLoad({
          port: target.port,
          connections,
          durationMs,
          method: 'PUT',
          path: `${target.account}/bench-middleware/${round++}-{n}`,
          headers: { 'x-auth-token': target.token, 'content-type': 'application/octet-stream' },
          body,
          expect: 201,
        })
      ).perSecond;
    for (const target of [server, bare]) await call(target, 'PUT', '/bench-middleware');
    const { ours, floor } = await inTurns(
      5,
      () => measure(server),
      () => measure(bare),
    );
    const ratio = ours / floor;
    const name = 'durable PUT 4 KiB through all middleware, beside the few it needs';
    return { name, unit: 'PUT/s', ours, floor, ratio, reach: '>= 0.9', ok: ratio >= 0.9 };
  } finally {
    await bare.stop();
  }
}
