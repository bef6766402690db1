import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Session } from '@zerocloud/sandbox';
import { GroupPool, type KeptProcesses } from '@zerocloud/sandbox/executor/group-pool';
import { createOpenJail } from '@zerocloud/sandbox/jail/jail';
import { compileGuest, descendantPids, sessionOf } from '../../../support/sandbox';
import { until } from '../../../support/until';

let directory: string;
let program: Uint8Array;

beforeAll(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'group-pool-'));
  await mkdir(path.join(directory, 'outputs'));
  program = await compileGuest('exit-code');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Given {
  pid: number;
  tenant: string;
}

async function withPool(kept: Partial<KeptProcesses>, use: (pool: GroupPool, given: Given[]) => Promise<void>) {
  const given: Given[] = [];
  const log = (event: Record<string, unknown>, message: string) => {
    if (message === 'a process for groups was given to a tenant') given.push(event as unknown as Given);
  };
  const setup = { systemImages: [], inlineOutputBytes: 65_536 };
  const all = { idleCount: 3, idleMs: 60_000, spareMs: 60_000, threadsAhead: 1, ...kept };
  const pool = new GroupPool({ workDir: directory, maxSessions: 4, log }, setup, createOpenJail(), all);
  try {
    await use(pool, given);
  } finally {
    await pool.close();
  }
  expect(descendantPids()).toEqual([]);
}

const run = async (pool: GroupPool, tenant: string, count = 2) => {
  const sessions: Session[] = Array.from({ length: count }, () => sessionOf(program, { tenant }));
  const results = await pool.run(sessions, []);
  expect(results.map(({ report }) => report.exitCode)).toEqual(Array(count).fill(42));
};
const processCount = (count: number) => until(`${count} processes`, () => descendantPids().length === count);

describe('processes for groups', () => {
  test('are not there before the first group', () => withPool({}, async () => expect(descendantPids()).toEqual([])));

  test('wait for their tenant’s next group, and one more for the next tenant', () =>
    withPool({}, async (pool, given) => {
      await run(pool, 'a');
      await processCount(2);
      await run(pool, 'a', 4);
      await run(pool, 'b');
      await run(pool, 'a');
      await processCount(3);
      expect(given.map(({ tenant }) => tenant)).toEqual(['a', 'b']);
      expect(new Set(given.map(({ pid }) => pid)).size).toBe(2);
    }));

  test('end when nobody has used them for a while', () =>
    withPool({ idleMs: 50, spareMs: 100 }, async (pool) => {
      await run(pool, 'a');
      await processCount(0);
      await run(pool, 'a');
    }));

  test('make room for others: who was not used the longest ends', () =>
    withPool({ idleCount: 2 }, async (pool, given) => {
      for (const tenant of ['a', 'b', 'c']) {
        await run(pool, tenant);
        await until('a spare one', () => descendantPids().length >= 2);
      }
      // Two that are somebody's, and the one that is nobody's.
      await processCount(3);
      for (const tenant of ['b', 'c', 'a']) await run(pool, tenant);
      expect(given.map(({ tenant }) => tenant)).toEqual(['a', 'b', 'c', 'a']);
    }));
});
