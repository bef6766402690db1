import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { DaemonLimits, Session, SessionResult } from '@zerocloud/sandbox';
import { createReport } from '@zerocloud/sandbox/report';
import { type Acquired, Daemons } from '@zerocloud/sandbox/snapshots/daemons';
import { sessionOf } from '../../../support/sandbox';
import { until } from '../../../support/until';

/** The book-keeping of copies, with sessions that make them in name only; the real ones are in `contract/daemons.test.ts`. */

const mebibyte = 1024 ** 2;
let directory: string;
let made: Session[];
let nowMs: number;
/** What the next making does. */
let outcome: 'made' | 'fails' | 'waits';
let daemons: Daemons;

async function make(session: Session, signal: AbortSignal): Promise<SessionResult> {
  made.push(session);
  if (outcome === 'waits') {
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
  }
  if (outcome === 'fails') return { report: createReport({ exitCode: 1 }), outputs: [] };
  const file = path.join(directory, `output-${made.length}`);
  await writeFile(file, Buffer.alloc(mebibyte, 'x'));
  const output = { name: '/dev/copy', sizeBytes: mebibyte, body: { kind: 'file' as const, path: file } };
  return { report: createReport({}), outputs: [output] };
}

function create(limits: Partial<DaemonLimits> = {}): void {
  const all = { perTenant: 10, tenantBytes: 100 * mebibyte, totalBytes: 100 * mebibyte, idleMs: 1000, ...limits };
  daemons = new Daemons({ directory: path.join(directory, 'copies'), limits: all, run: make, now: () => nowMs });
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'daemons-'));
  await mkdir(path.join(directory, 'copies'));
  made = [];
  nowMs = 1_000_000;
  outcome = 'made';
});

afterEach(async () => {
  await daemons.close();
  await rm(directory, { recursive: true });
});

const session = (tenant: string, name: string, key = name, changes: Partial<Session> = {}): Session =>
  sessionOf(new Uint8Array(0), { tenant, daemon: { name, place: '/app', key, modules: ['app'] }, ...changes });

const files = () => readdirSync(path.join(directory, 'copies'));

function sourceOf(acquired: Acquired): string {
  if ('problem' in acquired || acquired.copy.kind !== 'start' || acquired.copy.source.kind !== 'file') {
    throw new Error('no copy');
  }
  return acquired.copy.source.path;
}

function release(acquired: Acquired): void {
  if ('release' in acquired) acquired.release();
}

async function use(tenant: string, name: string, key?: string): Promise<string> {
  const acquired = await daemons.acquire(session(tenant, name, key));
  release(acquired);
  return sourceOf(acquired);
}

test('what makes a copy gets nothing of the session but its images and where modules are', async () => {
  create();
  const env = { SECRET: 'x', PYTHONPATH: '/lib' };
  await daemons.acquire(session('a', 'app', 'k', { env, args: ['python', 'main.py', 'x', 'secret'] }));
  expect(made[0]).toMatchObject({ tenant: 'a', env: { PYTHONPATH: '/lib' } });
  expect(made[0]!.args).not.toContain('secret');
  expect(made[0]!.channels.map(({ name, source }) => [name, source])).toEqual([
    ['/dev/stdin', undefined],
    ['/dev/stdout', undefined],
    ['/dev/stderr', undefined],
    ['/dev/copy', undefined],
  ]);
});

test('the bytes of all tenants together are bounded: those not used for the longest time go', async () => {
  create({ totalBytes: 3.5 * mebibyte });
  const first = await use('a', 'one');
  const second = await use('b', 'one');
  await use('c', 'one');
  await use('a', 'one');
  await use('d', 'one');
  await until('a file is gone', () => files().length === 3);
  expect([existsSync(first), existsSync(second)]).toEqual([true, false]);
});

test('the bytes of one tenant are bounded, whatever others have', async () => {
  create({ tenantBytes: 2.5 * mebibyte });
  for (const name of ['one', 'two', 'three']) await use('a', name);
  for (const tenant of ['b', 'c', 'd']) await use(tenant, 'one');
  expect(daemons.list('a').map(({ name }) => name)).toEqual(['three', 'two']);
  expect(daemons.list('b')).toMatchObject([{ name: 'one', modules: ['app'], sessionCount: 1 }]);
});

test('a copy in use is there until its last session is over', async () => {
  create();
  const held = await daemons.acquire(session('a', 'app'));
  const file = sourceOf(held);
  await use('a', 'app', 'changed');
  nowMs += 5000;
  daemons.dropIdle();
  expect(existsSync(file)).toBe(true);
  release(held);
  await until('it is gone', () => files().length === 0);
});

test('a copy that was not used for a while is dropped, one that was used is not', async () => {
  create();
  await use('a', 'old');
  await use('a', 'new');
  nowMs += 600;
  await use('a', 'new');
  nowMs += 600;
  daemons.dropIdle();
  expect(daemons.list('a').map(({ name }) => name)).toEqual(['new']);
});

test('one that could not be made is tried again after a minute, or when the application has changed', async () => {
  create({ idleMs: 10 ** 7 });
  outcome = 'fails';
  const problem = { problem: 'no daemon: the import failed' };
  expect(await daemons.acquire(session('a', 'app'))).toEqual(problem);
  expect(await daemons.acquire(session('a', 'app'))).toEqual(problem);
  expect(made).toHaveLength(1);
  outcome = 'made';
  await use('a', 'app', 'changed');
  outcome = 'fails';
  await daemons.acquire(session('a', 'other'));
  outcome = 'made';
  nowMs += 60_000;
  await use('a', 'other');
  expect(made).toHaveLength(4);
});

test('the making ends when nobody waits for it any more, and begins anew for the next one', async () => {
  create();
  outcome = 'waits';
  const [one, other] = [new AbortController(), new AbortController()];
  const waiting = [one, other].map(({ signal }) => daemons.acquire(session('a', 'app'), signal));
  one.abort(new Error('gone'));
  await expect(waiting[0]).rejects.toThrow('gone');
  expect(made).toHaveLength(1);
  other.abort(new Error('gone too'));
  await expect(waiting[1]).rejects.toThrow('gone too');
  outcome = 'made';
  await use('a', 'app');
  expect(made).toHaveLength(2);
});

test('a copy that turned out to be damaged is forgotten', async () => {
  create();
  const file = await use('a', 'app');
  daemons.discard(session('a', 'app'));
  expect(await use('a', 'app')).not.toBe(file);
});

test('nothing is left when it is closed', async () => {
  create();
  await use('a', 'app');
  await daemons.close();
  expect(existsSync(path.join(directory, 'copies'))).toBe(false);
  expect(await daemons.acquire(session('a', 'app'))).toEqual({ problem: 'no daemon: they are switched off' });
});
