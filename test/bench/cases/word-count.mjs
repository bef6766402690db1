/** A C word count over a cached 256 MiB object, against the same source built natively and run on the file. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { send } from '../http.mjs';
import { call } from '../processes.mjs';
import { inTurns } from '../statistics.mjs';

const run = promisify(execFile);
const sizeBytes = 256 << 20;
const name = 'job: C word count over 256 MiB, against native -O2';

/** Text with a long-tailed vocabulary of some 20,000 words: what counting words meets in practice. */
export function* text(totalBytes) {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  let block = '';
  for (let sent = 0; sent < totalBytes; ) {
    while (block.length < 1 << 20) {
      block += `w${Math.floor(20000 * random() ** 3).toString(36)}${random() < 0.1 ? '\n' : ' '}`;
    }
    const chunk = Buffer.from(block.slice(0, Math.min(1 << 20, totalBytes - sent)), 'latin1');
    block = '';
    sent += chunk.length;
    yield chunk;
  }
}

export async function wordCount({ server, workDir }) {
  if (!existsSync('/usr/bin/clang')) {
    return { name, skipped: 'needs clang, lld, wasi-libc and libclang-rt-14-dev-wasm32 (Debian packages)' };
  }
  const source = fileURLToPath(new URL('../guests/word-count.c', import.meta.url));
  const [native, wasm, input] = ['wc', 'wc.wasm', 'text'].map((file) => path.join(workDir, file));
  await run('clang', ['-O2', source, '-o', native]);
  await run('clang', ['--target=wasm32-wasi', '-O3', source, '-o', wasm]);
  const file = await open(input, 'w');
  for (const chunk of text(sizeBytes)) await file.write(chunk);
  await file.close();

  await call(server, 'PUT', '/bench-words');
  await call(server, 'PUT', '/bench-words/wc.wasm', { body: await readFile(wasm) });
  const token = { 'x-auth-token': server.token };
  const upload = await send(server.port, 'PUT', `${server.account}/bench-words/text`, {
    headers: { ...token, 'content-length': String(sizeBytes) },
    body: text(sizeBytes),
  });
  if (upload.status !== 201) throw new Error(`upload: ${upload.status}`);
  const job = Buffer.from(
    JSON.stringify([
      {
        name: 'wc',
        exec: { path: 'swift://~/bench-words/wc.wasm' },
        devices: [{ name: 'stdin', path: 'swift://~/bench-words/text' }, { name: 'stdout' }],
      },
    ]),
  );
  const headers = {
    ...token,
    'x-zerovm-execute': '1.0',
    'content-type': 'application/json',
    'content-length': String(job.length),
  };
  const expected = (await run(native, [input])).stdout;
  const seconds = async (action) => {
    const startedAt = performance.now();
    const output = await action();
    if (output !== expected) throw new Error(`counted ${output}, expected ${expected}`);
    return (performance.now() - startedAt) / 1000;
  };
  const { ours, floor } = await inTurns(
    5,
    () =>
      seconds(async () =>
        (await send(server.port, 'POST', server.account, { headers, body: job, keep: true })).body.toString(),
      ),
    () => seconds(async () => (await run(native, [input])).stdout),
  );
  return { name, unit: 's', ours, floor, ratio: ours / floor, reach: '<= 2.5', ok: ours / floor <= 2.5 };
}
