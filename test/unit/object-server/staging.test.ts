import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { StorageError } from '@zerocloud/object-server/errors';
import { Staging, type StagingOptions } from '@zerocloud/object-server/staging';
import { until } from '../../support/until';

let directory: string;
let counter = 0;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-staging-'));
});

afterEach(() => rm(directory, { recursive: true }));

function create(options: Partial<StagingOptions> = {}): Staging {
  return new Staging({ stagingPath: () => path.join(directory, String(counter++)), inlineBytes: 10, ...options });
}

async function* chunks(...parts: (string | Buffer | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

function emptied(): Promise<void> {
  return until('the directory is empty', async () => (await readdir(directory)).length === 0);
}

describe('a staged body', () => {
  test('is held in memory when small', async () => {
    const staging = create();
    const { id, sizeBytes } = await staging.stageBody(chunks('abc', 'def'), { maxBytes: 100 });
    expect([sizeBytes, staging.open(id).source]).toEqual([6, { kind: 'bytes', data: Buffer.from('abcdef') }]);
    expect(await readdir(directory)).toEqual([]);
  });

  test('is a file when large', async () => {
    const staging = create();
    const { id } = await staging.stageBody(chunks('abcdef', 'ghijkl', 'mno'), { maxBytes: 100 });
    const { source, close } = staging.open(id);
    expect(source).toMatchObject({ kind: 'file', sizeBytes: 15 });
    expect(await readFile((source as { path: string }).path, 'utf8')).toBe('abcdefghijklmno');
    close();
    await staging.releaseBody(id);
    await emptied();
  });

  test('that cannot be written is refused as the store refuses', async () => {
    const staging = create({ stagingPath: () => path.join(directory, 'missing', 'file') });
    const staged = staging.stageBody(chunks('a'.repeat(20)), { maxBytes: 100 });
    await expect(staged).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('that would take the space that is kept free is refused, and leaves nothing', async () => {
    const taken: number[] = [];
    const takeSpace = async (sizeBytes: number) => {
      if (taken.push(sizeBytes) > 2) throw new StorageError('insufficientStorage', 'no room');
    };
    const staged = create({ takeSpace }).stageBody(chunks('a'.repeat(20), 'bb', 'c', 'd'), { maxBytes: 100 });
    await expect(staged).rejects.toMatchObject({ code: 'insufficientStorage' });
    expect(taken).toEqual([20, 2, 1]);
    await emptied();
  });

  test('can be read by who has it open, also after it was released', async () => {
    const staging = create();
    const { id } = await staging.stageBody(chunks('a'.repeat(20)), { maxBytes: 100 });
    const opened = staging.open(id);
    await staging.releaseBody(id);
    expect(() => staging.open(id)).toThrow('The staged body is gone.');
    expect(await readFile((opened.source as { path: string }).path, 'utf8')).toBe('a'.repeat(20));
    opened.close();
    opened.close();
    await emptied();
  });

  test('is inflated on the way, within the limit', async () => {
    const staging = create();
    const zipped = gzipSync(Buffer.alloc(1000, 'x'));
    const { sizeBytes } = await staging.stageBody(chunks(zipped), { maxBytes: 1000, inflate: true });
    expect(sizeBytes).toBe(1000);
    await expect(staging.stageBody(chunks(zipped), { maxBytes: 999, inflate: true })).rejects.toMatchObject({
      code: 'objectTooLarge',
    });
    staging.close();
    await emptied();
  });

  test.each([
    ['is no gzip', [Buffer.from('plain text')]],
    ['ends early', [gzipSync(Buffer.alloc(1000, 'x')).subarray(0, 20)]],
  ])('is refused when it %s', async (_, parts) => {
    await expect(create().stageBody(chunks(...parts), { maxBytes: 1000, inflate: true })).rejects.toMatchObject({
      code: 'badArchive',
      message: 'Failed to inflate gzipped image',
    });
  });

  test.each([[true], [false]])('leaves nothing when its source fails (inflate: %s)', async (inflate) => {
    const failure = new Error('the client went away');
    const body = chunks(gzipSync('x'.repeat(50)).subarray(0, 15), failure);
    await expect(create().stageBody(body, { maxBytes: 1000, inflate })).rejects.toBe(failure);
    await emptied();
  });

  test('leaves nothing when it is too large', async () => {
    const body = chunks('a'.repeat(20), 'b'.repeat(20));
    await expect(create().stageBody(body, { maxBytes: 30 })).rejects.toMatchObject({ code: 'objectTooLarge' });
    await emptied();
  });

  test('is dropped when its job has been dead for long', async () => {
    const staging = create({ lifetimeMs: 20 });
    const { id } = await staging.stageBody(chunks('a'.repeat(20)), { maxBytes: 100 });
    await emptied();
    expect(() => staging.open(id)).toThrow('The staged body is gone.');
  });

  test('may be released twice, or never have been', async () => {
    const staging = create();
    const { id } = await staging.stageBody(chunks('a'), { maxBytes: 100 });
    await staging.releaseBody(id);
    await staging.releaseBody(id);
    await staging.releaseBody('nobody');
  });
});
