/** GETs of 4 KiB while programs compute in all places, against GETs while nothing else happens. */

import { readFile } from 'node:fs/promises';
import os from 'node:os';
import wabt from 'wabt';
import { runLoad } from '../load.mjs';
import { call } from '../processes.mjs';
import { median } from '../statistics.mjs';

const rounds = 3;

export async function getsDuringJobs({ server }) {
  await call(server, 'PUT', '/bench-busy');
  await call(server, 'PUT', '/bench-busy/object', { body: Buffer.alloc(4096, 'x') });
  const { parseWat } = await wabt();
  const text = await readFile(new URL('../../support/guests/spin-forever.wat', import.meta.url), 'utf8');
  await call(server, 'PUT', '/bench-busy/spin.wasm', {
    body: Buffer.from(parseWat('spin.wat', text).toBinary({}).buffer),
  });
  const gets = async () => {
    const load = {
      port: server.port,
      connections: 32,
      durationMs: 2000,
      method: 'GET',
      path: `${server.account}/bench-busy/object`,
      headers: { 'x-auth-token': server.token },
      expect: 200,
    };
    return (await runLoad(load)).perSecond;
  };
  const job = [
    { name: 'spin', count: Math.max(2, os.availableParallelism()), exec: { path: 'swift://~/bench-busy/spin.wasm' } },
  ];
  const duringJobs = async () => {
    const client = new AbortController();
    const running = fetch(server.storageUrl, {
      method: 'POST',
      headers: { 'x-auth-token': server.token, 'x-zerovm-execute': '1.0', 'content-type': 'application/json' },
      body: JSON.stringify(job),
      signal: client.signal,
    }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const rate = await gets();
    client.abort();
    await running;
    return rate;
  };
  const ratios = [];
  const rates = { quiet: [], busy: [] };
  await gets();
  for (let round = 0; round < rounds; round++) {
    rates.quiet.push(await gets());
    rates.busy.push(await duringJobs());
    ratios.push(rates.busy.at(-1) / rates.quiet.at(-1));
  }
  const ratio = median(ratios);
  return {
    name: 'GET 4 KiB while programs compute in all places, against without',
    unit: 'GET/s',
    ours: median(rates.busy),
    floor: median(rates.quiet),
    ratio,
    reach: '>= 0.5',
    ok: ratio >= 0.5,
  };
}
