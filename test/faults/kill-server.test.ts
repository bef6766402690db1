import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { killStartedProcesses, logIn, proxyMain, startProcess } from '../support/process';

const rounds = 20;
const writers = 8;

/** Small ones live in the database, large ones are files. */
const sizes = [0, 100, 4096, 65_536, 65_537, 300_000];

/** A body that its name foretells, so that a half one or somebody else's is noticed. */
function bodyOf(name: string, sizeBytes: number): Buffer {
  const block = createHash('sha512').update(name).digest();
  return Buffer.alloc(sizeBytes, block);
}

type Request = Awaited<ReturnType<typeof logIn>>['request'];

/** Uploads until the server is gone; fills `acknowledged` with name → size of every 201. */
async function upload(request: Request, prefix: string, acknowledged: Map<string, number>): Promise<void> {
  for (let i = 0; ; i++) {
    const name = `${prefix}-${i}`;
    const sizeBytes = sizes[i % sizes.length]!;
    try {
      const body = new Uint8Array(bodyOf(name, sizeBytes));
      const answer = await request(`/c/${name}`, { method: 'PUT', body });
      if (answer.status === 201) acknowledged.set(name, sizeBytes);
      // A name that is written twice must still count once.
      if (i % 5 === 0) await request(`/c/${name}`, { method: 'PUT', body });
    } catch {
      return;
    }
  }
}

interface Entry {
  name: string;
  bytes: number;
  hash: string;
}

async function listAll(request: Request): Promise<Entry[]> {
  const all: Entry[] = [];
  for (;;) {
    const marker = encodeURIComponent(all.at(-1)?.name ?? '');
    const page = (await (await request(`/c?format=json&marker=${marker}`)).json()) as Entry[];
    if (page.length === 0) return all;
    all.push(...page);
  }
}

describe('kill -9 of a server under concurrent PUTs', () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'zerocloud-kill-'));
  });
  afterAll(async () => {
    await killStartedProcesses();
    await rm(dataDir, { recursive: true, force: true });
  });

  test(`${rounds} times: what was acknowledged is there, complete, listed, and counted exactly`, async () => {
    const env = { ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: dataDir, ZEROCLOUD_LOG_LEVEL: 'error' };
    const acknowledged = new Map<string, number>();
    for (let round = 0; round <= rounds; round++) {
      const server = startProcess(proxyMain, env);
      const { request } = await logIn(await server.url());
      expect([201, 202]).toContain((await request('/c', { method: 'PUT' })).status);

      const entries = await listAll(request);
      const listed = new Map(entries.map((entry) => [entry.name, entry]));
      const missing = [...acknowledged].filter(([name, sizeBytes]) => listed.get(name)?.bytes !== sizeBytes);
      expect(missing).toEqual([]);
      for (const { name, bytes, hash } of entries) {
        expect([name, hash]).toEqual([name, createHash('md5').update(bodyOf(name, bytes)).digest('hex')]);
      }
      const { headers } = await request('/c', { method: 'HEAD' });
      expect(Number(headers.get('x-container-object-count'))).toBe(entries.length);
      expect(Number(headers.get('x-container-bytes-used'))).toBe(entries.reduce((sum, { bytes }) => sum + bytes, 0));
      const account = await request('', { method: 'HEAD' });
      expect(account.headers.get('x-account-object-count')).toBe(headers.get('x-container-object-count'));

      // The bodies themselves: all of this round's would take long, so a few of all that were ever acknowledged.
      for (const [name, sizeBytes] of [...acknowledged].filter(() => Math.random() < 20 / acknowledged.size)) {
        const body = Buffer.from(await (await request(`/c/${name}`)).arrayBuffer());
        expect(body.equals(bodyOf(name, sizeBytes))).toBe(true);
      }

      if (round < rounds) {
        const uploads = Array.from({ length: writers }, (_, i) => upload(request, `${round}-${i}`, acknowledged));
        // The moment of death is the one thing this test must not choose.
        setTimeout(() => server.child.kill('SIGKILL'), 50 + Math.random() * 350);
        await Promise.all(uploads);
      } else {
        server.child.kill('SIGTERM');
      }
      await server.ended;
    }
    expect(acknowledged.size).toBeGreaterThan(rounds * writers);
  }, 180_000);
});
