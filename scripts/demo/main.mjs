/**
 * `npm run demo`: starts a server, uploads the prose of this project's own dependencies, counts its words beside the
 * data with one job, then downloads everything and counts in the client, and compares the two.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connect } from './client.mjs';
import { forEachConcurrently, startProgress } from './progress.mjs';
import { findTexts } from './texts.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = (name) => readFile(new URL(`programs/${name}`, import.meta.url));

/** Starts the server as `npm start` does, on a free port, with its data in `dataDir`. */
async function startServer(dataDir, key) {
  const server = spawn(process.execPath, [path.join(root, 'packages/proxy/dist/main.js')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_DATA_DIR: dataDir,
      ZEROCLOUD_USERS: `demo:demo=${key} .admin`,
      ZEROCLOUD_LOG_LEVEL: 'warn',
    },
  });
  const exited = once(server, 'exit');
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /listening on (\S+)/.exec(line)?.[1];
    if (url) {
      const stop = async () => {
        server.kill('SIGTERM');
        await exited;
      };
      return { url, stop };
    }
  }
  throw new Error(`the server ended before it listened (exit code ${(await exited)[0]})`);
}

const python = (script) => ({ path: 'file://python:python', args: '/dev/script', name: script });
const scriptDevice = (script) => ({ name: 'script', path: `swift://~/programs/${script}` });

/** Map-reduce in one request: a node for every text counts its words and sends the counts to the one that adds up. */
const wordCount = [
  {
    name: 'count',
    exec: python('count.py'),
    connect: ['total'],
    devices: [
      { name: 'python' },
      scriptDevice('count.py'),
      { name: 'input', path: 'swift://~/texts/*' },
      { name: 'stderr' },
    ],
  },
  {
    name: 'total',
    exec: python('total.py'),
    devices: [{ name: 'python' }, scriptDevice('total.py'), { name: 'stdout', content_type: 'text/plain' }],
  },
];

async function countBesideTheData(client) {
  const { body, sessionCount, readBytes } = await client.run(wordCount);
  return { report: body.toString(), sessionCount, readBytes };
}

/** The same count the usual way, and the same report: every object is downloaded, the client counts. */
async function countInTheClient(client) {
  const totals = new Map();
  await forEachConcurrently(await client.list('texts'), 8, async (name) => {
    const text = (await client.get('texts', name)).toString('latin1').toLowerCase();
    for (const [word] of text.matchAll(/[a-z]+/g)) totals.set(word, (totals.get(word) ?? 0) + 1);
  });
  const sorted = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const all = sorted.reduce((sum, [, count]) => sum + count, 0);
  return [`${all} ${totals.size}`, ...sorted.slice(0, 20).map(([word, count]) => `${word} ${count}`), ''].join('\n');
}

/** Runs `action` and tells how long it took and how many bytes of bodies crossed the wire. */
async function measure(client, action) {
  const before = { ...client.wire };
  const startedAt = performance.now();
  const result = await action(client);
  const wireBytes = client.wire.sentBytes - before.sentBytes + client.wire.receivedBytes - before.receivedBytes;
  return { result, wireBytes, seconds: (performance.now() - startedAt) / 1000 };
}

function printTable(report) {
  const [summary, ...lines] = report.trimEnd().split('\n');
  const [words, distinct] = summary.split(' ');
  const rows = lines.map((line) => line.split(' '));
  const most = Number(rows[0][1]);
  console.log(`\n${words} words, ${distinct} distinct. The most frequent:\n`);
  for (const [word, count] of rows) {
    console.log(`  ${word.padEnd(14)}${count.padStart(8)}  ${'▇'.repeat(Math.ceil((Number(count) / most) * 40))}`);
  }
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`;

async function main() {
  const texts = await findTexts(path.join(root, 'node_modules'), 5.5e6);
  const totalBytes = texts.reduce((sum, text) => sum + text.sizeBytes, 0);
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-demo-'));
  const key = randomBytes(16).toString('hex');
  const server = await startServer(dataDir, key);
  try {
    const client = await connect(server.url, 'demo:demo', key);
    await Promise.all(['programs', 'texts'].map(client.putContainer));
    for (const name of ['count.py', 'total.py']) await client.put('programs', name, await program(name));
    const upload = startProgress('uploading', texts.length, 'files');
    await forEachConcurrently(texts, 8, async (text) => {
      await client.put('texts', text.name, await readFile(text.file));
      upload.add(1);
    });
    upload.finish(megabytes(totalBytes));

    console.error('counting beside the data …');
    const beside = await measure(client, countBesideTheData);
    console.error('downloading everything and counting here …');
    const here = await measure(client, countInTheClient);

    printTable(beside.result.report);
    console.log(`
                          beside the data   in the client
  sessions run            ${String(beside.result.sessionCount).padStart(15)}${'–'.padStart(16)}
  read beside the data    ${megabytes(beside.result.readBytes).padStart(15)}${'–'.padStart(16)}
  crossed the wire        ${megabytes(beside.wireBytes).padStart(15)}${megabytes(here.wireBytes).padStart(16)}
  wall time               ${`${beside.seconds.toFixed(1)} s`.padStart(15)}${`${here.seconds.toFixed(1)} s`.padStart(16)}
`);
    client.close();
    if (beside.result.report !== here.result) {
      console.error('The two counts differ.');
      console.error(`beside the data:\n${beside.result.report}\nin the client:\n${here.result}`);
      process.exitCode = 1;
    } else {
      console.log('Both counts agree.');
    }
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

await main();
