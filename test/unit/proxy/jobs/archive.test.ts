import { gzipSync } from 'node:zlib';
import { findBootMap, inflateHead, tarHeader, tarTrailer } from '@zerocloud/proxy/jobs/archive';
import { packTar } from '../../../support/tar';

const text = (map: Uint8Array | undefined) => map && Buffer.from(map).toString();

describe('looking for the job description of an archive', () => {
  test('finds it behind other members and long names', async () => {
    const archive = await packTar([
      [{ name: `${'deep/'.repeat(60)}file` }, 'x'.repeat(1000)],
      [{ name: 'boot', type: 'directory' }, ''],
      [{ name: 'boot/system.map' }, '[1]'],
    ]);
    expect(text(findBootMap(archive))).toBe('[1]');
  });

  test('finds a name that stands in a pax header', async () => {
    const archive = await packTar([[{ name: 'short', pax: { path: 'boot/system.map' } }, '[2]']]);
    expect(text(findBootMap(archive))).toBe('[2]');
  });

  test('finds nothing that is cut off, a directory, or behind the end', async () => {
    const archive = await packTar([[{ name: 'boot/system.map' }, 'x'.repeat(600)]]);
    expect(findBootMap(archive.subarray(0, 1000))).toBeUndefined();
    expect(findBootMap(await packTar([[{ name: 'boot/system.map', type: 'directory' }, '']]))).toBeUndefined();
    expect(findBootMap(Buffer.concat([Buffer.alloc(1024), archive]))).toBeUndefined();
    expect(findBootMap(archive.subarray(0, 511))).toBeUndefined();
  });

  test('throws at damage in front and stops at damage behind', async () => {
    expect(() => findBootMap(Buffer.alloc(512, 1))).toThrow();
    const archive = await packTar([
      [{ name: 'a' }, 'x'],
      [{ name: 'boot/system.map' }, '[]'],
    ]);
    archive.fill(0xff, 1024, 1100);
    expect(findBootMap(archive)).toBeUndefined();
  });
});

describe('inflating the head of an archive', () => {
  test('takes what there is of a stream that goes on', async () => {
    const data = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251));
    const head = await inflateHead(gzipSync(data).subarray(0, 400));
    expect(head.length).toBeGreaterThan(100);
    expect(data.subarray(0, head.length).equals(head)).toBe(true);
  });

  test('stops early in a bomb', async () => {
    const head = await inflateHead(gzipSync(Buffer.alloc(50_000_000)));
    expect(head.length).toBeLessThan(2_000_000);
  });

  test('throws at what is no gzip', async () => {
    await expect(inflateHead(Buffer.from('plain'))).rejects.toThrow();
  });
});

test('a file wrapped by hand is a tar that others read', () => {
  const data = Buffer.from('[3]');
  const archive = Buffer.concat([tarHeader('boot/system.map', data.length), data, tarTrailer(data.length)]);
  expect(archive.length % 512).toBe(0);
  expect(text(findBootMap(archive))).toBe('[3]');
});
