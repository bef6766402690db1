/**
 * Cases inside the sandbox package, without server and HTTP: latencies of warm sessions, programs against their native
 * builds, and what a waiting executor costs. What a machine does not have (clang, python3, the built image) is skipped.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { text } from './cases/word-count.mjs';
import { inTurns, latencies, median } from './statistics.mjs';

const { createSandbox, pythonImages } = createRequire(import.meta.url)('@zerocloud/sandbox');
const run = promisify(execFile);
const guest = (name) => fileURLToPath(new URL(`./guests/${name}`, import.meta.url));
const builtImage = fileURLToPath(new URL('../../images/python', import.meta.url));
const clang = existsSync('/usr/bin/clang');
const needsClang = 'needs clang, lld, wasi-libc and libclang-rt-14-dev-wasm32 (Debian packages)';
const unlimited = 1e12;
const reading = { reads: unlimited, readBytes: unlimited, writes: 0, writeBytes: 0 };
const writing = { reads: 0, readBytes: 0, writes: unlimited, writeBytes: unlimited };
const memoryBytes = 256 * 1024 ** 2;

/** Runs `use` with a sandbox whose sessions must say what is expected of them. */
async function withSandbox(workDir, images, use) {
  const directory = await mkdtemp(path.join(workDir, 'sandbox-'));
  const work = path.join(directory, 'work');
  await mkdir(work);
  const options = { workDir: work, maxSessions: 2, systemImages: images, inlineOutputBytes: 65_536 };
  const sandbox = await createSandbox({ ...options, maxMemoryBytes: memoryBytes });
  const session = async (program, args, { tenant = 'bench', source, timeoutMs = 60_000, expected } = {}) => {
    const channel = { type: 0, fileType: 'pipe', etag: false };
    const channels = [
      { ...channel, name: '/dev/stdin', limits: reading, ...(source && { source }) },
      { ...channel, name: '/dev/stdout', limits: writing },
      { ...channel, name: '/dev/stderr', limits: writing },
    ];
    const request = { tenant, program, args, env: {}, channels, mounts: [], systemImages: [], timeoutMs, memoryBytes };
    const { report, outputs } = await sandbox.run(request);
    const out = Buffer.from(outputs[0].body.data).toString();
    if (expected !== undefined && out !== expected) throw new Error(`${args}: ${report.state} ${out}`);
    return report;
  };
  try {
    return await use(session, sandbox);
  } finally {
    await sandbox.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const python = { kind: 'system-image', image: 'python', path: 'python' };
const hello = ['python', '-c', 'print(1)'];

async function compile(workDir, name, flags) {
  const output = path.join(workDir, `${name}${flags.includes('--target=wasm32-wasi') ? '.wasm' : ''}`);
  await run('clang', [...flags, guest(`${name}.c`), '-o', output]);
  return output;
}

const compileWasm = async (workDir, name) => {
  const file = await compile(workDir, name, ['--target=wasm32-wasi', '-O3', '-msimd128']);
  return { kind: 'module', source: { kind: 'bytes', data: await readFile(file) }, cacheKey: name };
};

export async function sandboxTiny({ workDir }) {
  const name = 'sandbox: tiny C program, warm, p50';
  if (!clang) return { name, skipped: needsClang };
  const program = await compileWasm(workDir, 'hello');
  return withSandbox(workDir, [], async (session) => {
    const ours = median(await latencies(500, () => session(program, ['hello'], { expected: 'hello\n' }), 300));
    return { name, unit: 'ms', ours, reach: '<= 1 ms', ok: ours <= 1 };
  });
}

async function pythonHello(workDir, directory, name, limitMs) {
  return withSandbox(workDir, pythonImages(directory), async (session) => {
    const ours = median(await latencies(400, () => session(python, hello, { expected: '1\n' }), 600));
    return { name, unit: 'ms', ours, reach: `<= ${limitMs} ms`, ok: ours <= limitMs };
  });
}

const noImage = 'needs npm run image:python';

export const sandboxPythonNpm = ({ workDir }) =>
  pythonHello(workDir, undefined, 'sandbox: Python hello, warm, image from npm, p50', 3);

export async function sandboxPythonBuilt({ workDir }) {
  const name = 'sandbox: Python hello, warm, built image, p50';
  return existsSync(builtImage) ? pythonHello(workDir, builtImage, name, 2) : { name, skipped: noImage };
}

export async function sandboxPythonNative({ workDir }) {
  const name = 'sandbox: Python hello against python3 -c natively, p50';
  if (!existsSync('/usr/bin/python3')) return { name, skipped: 'needs /usr/bin/python3' };
  return withSandbox(workDir, pythonImages(builtImage), async (session) => {
    await latencies(200, () => session(python, hello));
    const native = () => run('/usr/bin/python3', ['-c', 'print(1)'], { env: {} });
    const timed = (action) => async () => (await latencies(1, action, 0))[0];
    const { ours, floor } = await inTurns(
      40,
      timed(() => session(python, hello)),
      timed(native),
    );
    return { name, unit: 'ms', ours, floor, ratio: ours / floor, reach: '< 1', ok: ours < floor };
  });
}

export async function sandboxFirstJob({ workDir }) {
  const name = 'sandbox: first Python job of an account, worst of 5';
  return withSandbox(workDir, pythonImages(builtImage), async (session) => {
    const times = [];
    for (let i = 0; i < 5; i++) {
      // Accounts come one after the other; the next spare executor is being made meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      times.push(...(await latencies(1, () => session(python, hello, { tenant: `account ${i}` }), 0)));
    }
    const ours = Math.max(...times);
    return { name, unit: 'ms', ours, reach: '<= 150 ms', ok: ours <= 150 };
  });
}

async function writeText(workDir, sizeBytes) {
  const file = path.join(workDir, `text-${sizeBytes}`);
  if (existsSync(file)) return file;
  const handle = await open(file, 'w');
  for (const chunk of text(sizeBytes)) await handle.write(chunk);
  await handle.close();
  return file;
}

/** Seconds of a native program from its start to its end, reading a file. */
function native(program, args, input) {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const fd = openSync(input, 'r');
    const child = spawn(program, args, { stdio: [fd, 'ignore', 'inherit'], env: {} });
    closeSync(fd);
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve((performance.now() - startedAt) / 1000) : reject(new Error(program)),
    );
  });
}

async function againstNative(workDir, { name, program, args = [], megabytes, limit }) {
  if (!clang) return { name, skipped: needsClang };
  const wasm = await compileWasm(workDir, program);
  const binary = await compile(workDir, program, ['-O2']);
  const input = await writeText(workDir, megabytes << 20);
  const source = { kind: 'file', path: input, sizeBytes: megabytes << 20 };
  return withSandbox(workDir, [], async (session) => {
    const guestRun = async () => (await session(wasm, [program, ...args], { source })).elapsedMs / 1000;
    await guestRun();
    const { ours, floor } = await inTurns(5, guestRun, () => native(binary, args, input));
    return { name, unit: 's', ours, floor, ratio: ours / floor, reach: `<= ${limit}`, ok: ours / floor <= limit };
  });
}

export const sandboxWordCount = ({ workDir }) =>
  againstNative(workDir, {
    name: 'sandbox: C word count against native -O2',
    program: 'word-count',
    megabytes: 128,
    limit: 1.6,
  });

export const sandboxGrep = ({ workDir }) =>
  againstNative(workDir, {
    name: 'sandbox: C grep against native -O2',
    program: 'grep',
    args: ['w123 '],
    megabytes: 256,
    limit: 2.3,
  });

export const sandboxSieve = ({ workDir }) =>
  againstNative(workDir, { name: 'sandbox: C sieve against native -O2', program: 'sieve', megabytes: 1, limit: 1.3 });

export async function sandboxPythonWords({ workDir }) {
  const name = "sandbox: Python word count against Debian's python3";
  if (!existsSync(builtImage)) return { name, skipped: noImage };
  if (!existsSync('/usr/bin/python3')) return { name, skipped: 'needs /usr/bin/python3' };
  const input = await writeText(workDir, 16 << 20);
  const script = await readFile(guest('word-count.py'), 'utf8');
  const source = { kind: 'file', path: input, sizeBytes: 16 << 20 };
  return withSandbox(workDir, pythonImages(builtImage), async (session) => {
    const ourRun = async () => (await session(python, ['python', '-c', script], { source })).elapsedMs / 1000;
    await ourRun();
    const { ours, floor } = await inTurns(5, ourRun, () => native('/usr/bin/python3', ['-c', script], input));
    return { name, unit: 's', ours, floor, ratio: ours / floor, reach: '<= 3', ok: ours / floor <= 3 };
  });
}

export async function sandboxTimeout({ workDir }) {
  const name = 'sandbox: timeout overshoot, worst of 10';
  return withSandbox(workDir, pythonImages(builtImage), async (session) => {
    const late = [];
    for (let i = 0; i < 10; i++) {
      const report = await session(python, ['python', '-c', 'while True: pass'], { timeoutMs: 300 });
      if (report.state !== 'session timeout') throw new Error(report.state);
      late.push(report.elapsedMs - 300);
    }
    const ours = Math.max(...late);
    return { name, unit: 'ms', ours, reach: '<= 150 ms', ok: ours <= 150 };
  });
}

async function privateMiB(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = (field) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return (kib('Private_Clean') + kib('Private_Dirty')) / 1024;
}

async function descendants(pid) {
  const found = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
    for (const child of children.split(' ').filter(Boolean)) found.push(Number(child), ...(await descendants(child)));
  }
  return found;
}

/** A slot that has run a session and waits for the next one, and those that wait for their first. */
async function idleMemory(workDir, directory, image) {
  const name = `sandbox: private memory of a warm idle Python slot, image ${image}`;
  const before = new Set(await descendants(process.pid));
  return withSandbox(workDir, pythonImages(directory), async (session) => {
    for (let i = 0; i < 20; i++) await session(python, hello, { expected: '1\n' });
    await new Promise((resolve) => setTimeout(resolve, 5000));
    const slots = [];
    for (const pid of await descendants(process.pid)) {
      if (before.has(pid)) continue;
      const comm = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
      if (comm !== 'bwrap') slots.push(await privateMiB(pid));
    }
    const ours = Math.max(...slots);
    return { name, unit: 'MiB', ours, reach: '<= 32 MiB', ok: ours <= 32 };
  });
}

export const sandboxIdleMemoryNpm = ({ workDir }) => idleMemory(workDir, undefined, 'from npm');

export async function sandboxIdleMemoryBuilt({ workDir }) {
  if (!existsSync(builtImage)) return { name: 'sandbox: private memory of a warm idle Python slot', skipped: noImage };
  return idleMemory(workDir, builtImage, 'built here');
}

/** What giving the memory back costs: the first session after a while. */
export async function sandboxAfterRest({ workDir }) {
  const name = 'sandbox: Python hello after 4 s without a session, image from npm, worst of 5';
  return withSandbox(workDir, pythonImages(), async (session) => {
    await latencies(100, () => session(python, hello), 0);
    const times = [];
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 4000));
      times.push(...(await latencies(1, () => session(python, hello, { expected: '1\n' }), 0)));
    }
    const ours = Math.max(...times);
    return { name, unit: 'ms', ours, reach: '<= 30 ms', ok: ours <= 30 };
  });
}
