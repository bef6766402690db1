/**
 * `npm run bench`: prints a table and one line of JSON. Every ratio compares two measurements of the same run, taken
 * in turns, so that it means something on a noisy machine. `npm run bench -- GET job` runs the cases whose name
 * contains one of the words.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chain } from './cases/chain.mjs';
import { connectedPython, connectedTiny } from './cases/connected.mjs';
import { fairness } from './cases/fairness.mjs';
import { getsDuringJobs } from './cases/gets-during-jobs.mjs';
import { bareJob, firstJob, pythonJob, pythonJobNpm, pythonJobRate, tinyJob } from './cases/jobs.mjs';
import { getLarge, putLarge } from './cases/large-objects.mjs';
import { listing, listingByDelimiter, prepareListing } from './cases/listing.mjs';
import { mapReduce } from './cases/map-reduce.mjs';
import { mapPython, mapTiny } from './cases/map-steps.mjs';
import { memory } from './cases/memory.mjs';
import { middleware } from './cases/middleware.mjs';
import { pipe, pipeSessions } from './cases/pipe.mjs';
import { shuffle } from './cases/shuffle.mjs';
import { getSmall, putRelaxed, putSmall } from './cases/small-objects.mjs';
import { getStaticLargeObject } from './cases/static-large-object.mjs';
import { wordCount } from './cases/word-count.mjs';
import { startFloor, startServer } from './processes.mjs';
import * as sandboxCases from './sandbox.mjs';

const cases = {
  memory,
  putSmall,
  putRelaxed,
  getSmall,
  middleware,
  getLarge,
  putLarge,
  getStaticLargeObject,
  tinyJob,
  bareJob,
  pythonJob,
  pythonJobNpm,
  pythonJobRate,
  firstJob,
  wordCount,
  connectedTiny,
  connectedPython,
  mapTiny,
  mapPython,
  mapReduce,
  shuffle,
  chain,
  getsDuringJobs,
  listing,
  listingByDelimiter,
  fairness,
  pipe,
  pipeSessions,
  ...sandboxCases,
};
const words = process.argv.slice(2).map((word) => word.toLowerCase());
const chosen = Object.entries(cases).filter(
  ([name]) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word)),
);

const format = (value) => (value === undefined ? '' : value >= 100 ? value.toFixed(0) : value.toPrecision(3));

const verdictOf = ({ ok }) => (ok === undefined ? '' : ok ? 'reached' : 'MISSED');

function printRow(row) {
  if (row.skipped) return console.log(`${row.name.padEnd(78)} skipped: ${row.skipped}`);
  const figures = [format(row.ours), format(row.floor), row.unit, format(row.ratio)].map((text) => text.padStart(9));
  console.log(`${row.name.padEnd(78)}${figures.join('')}  ${row.reach.padEnd(22)} ${verdictOf(row)}`);
}

const workDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-bench-'));
const dataDir = path.join(workDir, 'data');
const floorDir = path.join(workDir, 'floor');
const rows = [];
try {
  if (chosen.some(([name]) => name.startsWith('listing'))) {
    console.error('filling the containers of the listing case …');
    await prepareListing(dataDir);
  }
  const running = [];
  try {
    const floor = await startFloor(floorDir);
    running.push(floor);
    const server = await startServer(dataDir, { ZEROCLOUD_MAX_INPUT_BYTES: String(2 ** 31) });
    running.push(server);
    const titles = ['ours', 'floor', 'unit', 'ratio'].map((title) => title.padStart(9));
    console.log(`${'what'.padEnd(78)}${titles.join('')}  must reach`);
    for (const [, run] of chosen) {
      const row = await run({ server, floor, floorDir, workDir });
      rows.push(row);
      printRow(row);
    }
  } finally {
    for (const each of running.reverse()) await each.stop();
  }
} finally {
  await rm(workDir, { recursive: true, force: true });
}
console.log(JSON.stringify({ node: process.version, cpus: os.cpus().length, cpu: os.cpus()[0]?.model, rows }));
process.exitCode = rows.some((row) => row.ok === false) ? 1 : 0;
