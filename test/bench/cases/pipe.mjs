/** Bytes per second through a pipe between two sessions, in calls of 64 KiB. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { compileWat } from '../compile-wat.mjs';
import { median } from '../statistics.mjs';

const require = createRequire(import.meta.url);
const { createSandbox } = require('@zerocloud/sandbox');
const { createRing } = require('@zerocloud/sandbox/channels/ring');
const callBytes = 64 * 1024;
const sizeBytes = 1024 ** 3;
const rounds = 7;

/** By itself: two threads, calls as the WASI host makes them. */
export async function pipe() {
  const [writer, reader] = [true, false].map(
    (writes) => new Worker(new URL('./pipe-end.mjs', import.meta.url), { workerData: { writes, callBytes } }),
  );
  try {
    const rates = [];
    for (let i = 0; i <= rounds; i++) {
      const job = { pipe: createRing(), sizeBytes };
      const ends = [once(reader, 'message'), once(writer, 'message')];
      const startedAt = performance.now();
      reader.postMessage(job);
      writer.postMessage(job);
      for (const [done] of await Promise.all(ends)) {
        if (done !== sizeBytes) throw new Error(`${done} of ${sizeBytes} bytes came through`);
      }
      // The first round compiles.
      if (i > 0) rates.push(sizeBytes / 1e6 / (performance.now() - startedAt));
    }
    const ours = median(rates);
    return { name: 'pipe between two threads, 64 KiB writes', unit: 'GB/s', ours, reach: '>= 1 GB/s', ok: ours >= 1 };
  } finally {
    await Promise.all([writer.terminate(), reader.terminate()]);
  }
}

/** Between two guests of a group: one writes, the other counts. */
export async function pipeSessions({ workDir }) {
  const options = { maxSessions: 2, systemImages: [], inlineOutputBytes: 65_536 };
  const sandbox = await createSandbox({ ...options, workDir: path.join(workDir, 'pipe-sessions') });
  const closed = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };
  const input = { ...closed, reads: sizeBytes, readBytes: sizeBytes + 1 };
  const output = { ...closed, writes: sizeBytes, writeBytes: sizeBytes };
  const channel = (name, limits) => ({ name, limits, type: 0, fileType: 'pipe', etag: false });
  const session = (data, channels) => {
    const program = { kind: 'module', source: { kind: 'bytes', data } };
    const rest = { args: ['program'], env: {}, mounts: [], systemImages: [], timeoutMs: 60_000, memoryBytes: 2 ** 24 };
    return { tenant: 'bench', program, channels, ...rest };
  };
  const source = session(await assemble('flood-stdout'), [channel('/dev/stdout', output)]);
  const sink = session(await assemble('count-stdin'), [channel('/dev/stdin', input), channel('/dev/stdout', output)]);
  const pipes = [{ from: { session: 0, channel: '/dev/stdout' }, to: { session: 1, channel: '/dev/stdin' } }];
  try {
    const rates = [];
    for (let i = 0; i < rounds; i++) {
      const [, { report, outputs }] = await sandbox.runGroup([source, sink], pipes);
      const count = Buffer.from(outputs[0].body.data).readBigUInt64LE();
      if (count !== BigInt(sizeBytes)) throw new Error(`${count} of ${sizeBytes} bytes came through: ${report.state}`);
      rates.push(sizeBytes / 1e6 / report.elapsedMs);
    }
    const ours = median(rates);
    return { name: 'pipe between two nodes, 64 KiB writes', unit: 'GB/s', ours, reach: '>= 1 GB/s', ok: ours >= 1 };
  } finally {
    await sandbox.close();
  }
}

const assemble = (name) => compileWat(new URL(`../../support/guests/${name}.wat`, import.meta.url));
