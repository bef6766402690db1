import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { killStartedProcesses, logIn, proxyMain, type ServerProcess, startProcess } from '../support/process';
import { until } from '../support/until';

const mebibyte = 1024 * 1024;

/** The most memory that the server has had so far. */
function peakBytes({ child }: ServerProcess): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024;
}

/** Bodies that the server has open. */
function openBlobs({ child }: ServerProcess): number {
  const links = readdirSync(`/proc/${child.pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${child.pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter((target) => target.includes('/blobs/')).length;
}

describe('memory does not grow with what is read and written', () => {
  let dataDir: string;
  let server: ServerProcess;
  let url: string;
  let client: Awaited<ReturnType<typeof logIn>>;

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'zerocloud-memory-'));
    server = startProcess(proxyMain, {
      ZEROCLOUD_PORT: '0',
      ZEROCLOUD_DATA_DIR: dataDir,
      ZEROCLOUD_LOG_LEVEL: 'fatal',
    });
    url = await server.url();
    client = await logIn(url);
    for (const name of ['seg', 'slo']) await client.request(`/${name}`, { method: 'PUT' });
    await client.request('/seg/ten', { method: 'PUT', body: Buffer.alloc(10 * mebibyte, 'x') });
    await client.request('/seg/one', { method: 'PUT', body: Buffer.alloc(mebibyte, 'y') });
    await read('/seg/ten');
  });
  afterAll(async () => {
    await killStartedProcesses();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Reads everything and resolves with its length. */
  async function read(target: string, headers: Record<string, string> = {}): Promise<number> {
    const answer = await client.request(target, { headers });
    let sizeBytes = 0;
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) sizeBytes += chunk.length;
    return sizeBytes;
  }

  const putManifest = (target: string, items: object[]) =>
    client.request(`${target}?multipart-manifest=put`, { method: 'PUT', body: JSON.stringify(items) });

  test('a thousand segments come as one stream', async () => {
    const items = Array.from({ length: 1000 }, (_, i) =>
      i % 2 ? { path: 'seg/one' } : { path: 'seg/ten', range: '0-1048575' },
    );
    expect((await putManifest('/slo/thousand', items)).status).toBe(201);
    const before = peakBytes(server);
    expect(await read('/slo/thousand')).toBe(1000 * mebibyte);
    expect(peakBytes(server) - before).toBeLessThan(48 * mebibyte);
  });

  test('ranges of ten gigabytes cost what they hold, also through manifests in manifests', async () => {
    await putManifest('/slo/ten-gigabytes', new Array(1000).fill({ path: 'seg/ten' }));
    await putManifest('/slo/inner', new Array(100).fill({ path: 'slo/ten-gigabytes' }));
    await putManifest('/slo/outer', new Array(100).fill({ path: 'slo/inner' }));
    const before = peakBytes(server);
    const whole = await client.request('/slo/outer', { method: 'HEAD' });
    expect(whole.headers.get('content-length')).toBe(String(10_000_000 * 10 * mebibyte));
    const sparse = await client.request('/slo/ten-gigabytes', {
      headers: { range: 'bytes=0-9,5000000000-5000000009,-10' },
    });
    expect([sparse.status, (await sparse.text()).match(/x{10}/g)]).toEqual([206, new Array(3).fill('x'.repeat(10))]);
    expect(await read('/slo/outer', { range: 'bytes=99999999999999-100000000999998' })).toBe(1_000_000);
    expect(peakBytes(server) - before).toBeLessThan(48 * mebibyte);
  });

  test('a reader that stops reading holds a few pieces', async () => {
    await putManifest('/slo/slow', new Array(1000).fill({ path: 'seg/ten' }));
    const before = peakBytes(server);
    const readers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const request = http.get(`${url}/v1/AUTH_test/slo/slow`, {
          headers: { 'x-auth-token': client.token },
          agent: false,
        });
        const answer = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve));
        // Its socket fills up, and then nothing moves.
        answer.pause();
        return answer;
      }),
    );
    await read('/slo/slow', { range: 'bytes=0-500000000' });
    expect(peakBytes(server) - before).toBeLessThan(64 * mebibyte);
    expect(openBlobs(server)).toBeGreaterThan(0);
    for (const reader of readers) reader.destroy();
    await until('all files of broken downloads are closed', () => openBlobs(server) === 0);
  });

  test('an archive of ten thousand files, and a large one, are stored as they come', async () => {
    const archive = pack();
    const block = Buffer.alloc(mebibyte);
    void (async () => {
      for (let i = 0; i < 10_000; i++) archive.entry({ name: `files/${i}` }, `content of ${i}`);
      const large = archive.entry({ name: 'files/large', size: 300 * mebibyte });
      for (let i = 0; i < 300; i++) {
        if (!large.write(block)) await new Promise((resolve) => large.once('drain', () => resolve(undefined)));
      }
      large.end(null);
      archive.finalize();
    })();
    const before = peakBytes(server);
    const answer = await client.request('?extract-archive=tar.gz', {
      method: 'PUT',
      headers: { accept: 'application/json' },
      body: Readable.from(Readable.from(archive as never).pipe(createGzip({ level: 1 }))) as never,
      duplex: 'half',
    } as RequestInit);
    expect(await answer.json()).toMatchObject({
      'Response Status': '201 Created',
      'Number Files Created': 10_001,
      Errors: [],
    });
    expect((await client.request('/files/large', { method: 'HEAD' })).headers.get('content-length')).toBe(
      String(300 * mebibyte),
    );
    expect(peakBytes(server) - before).toBeLessThan(96 * mebibyte);
    expect((await client.request('/files', { method: 'HEAD' })).headers.get('x-container-object-count')).toBe('10001');
  });
});
