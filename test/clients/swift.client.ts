import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { md5sBelow, mebibyte, openWorkplace, type Workplace } from './workplace';

/** `swift` of python-swiftclient, the command that Swift's manuals use. */

let here: Workplace;

beforeAll(async () => {
  here = await openWorkplace();
});

afterAll(() => here.close());

const swift = (...args: string[]) =>
  here.run('swift', '-A', `${here.server.url}/auth/v1.0`, '-U', 'test:tester', '-K', 'testing', ...args);

/** The lines `  Name: value` of `swift stat`. */
async function stat(...args: string[]): Promise<Record<string, string>> {
  const lines = (await swift('stat', ...args)).split('\n');
  return Object.fromEntries(lines.map((line) => line.trim().split(/:\s*(.*)/s, 2) as [string, string]));
}

test('uploads a tree, lists it, and gets it back as it was', async () => {
  for (const [name, sizeBytes] of [
    ['tree/one', 10],
    ['tree/empty', 0],
    ['tree/a b/ü%20.bin', 300_000],
  ] as const) {
    here.writeRandom(name, sizeBytes);
  }
  await swift('upload', 'box', 'tree');
  expect((await swift('list', 'box')).trim().split('\n')).toEqual(['tree/a b/ü%20.bin', 'tree/empty', 'tree/one']);
  expect((await swift('list', 'box', '--delimiter', '/', '--prefix', 'tree/')).trim().split('\n')).toContain(
    'tree/a b/',
  );
  expect(await swift('list', '--lh')).toContain('box');
  await swift('download', 'box', '--output-dir', 'back');
  expect(md5sBelow(path.join(here.directory, 'back/tree'))).toEqual(md5sBelow(path.join(here.directory, 'tree')));
  expect((await stat('box')).Objects).toBe('3');
});

test('does not upload again what has not changed', async () => {
  here.writeRandom('same', 1000);
  await swift('upload', 'box', 'same');
  const { 'Last Modified': before } = await stat('box', 'same');
  expect(await swift('upload', '--changed', '--skip-identical', 'box', 'same')).not.toContain('error');
  expect((await stat('box', 'same'))['Last Modified']).toBe(before);
});

test.each([
  ['dynamic', []],
  ['static', ['--use-slo']],
])('uploads a %s large object in segments, gets it back, and deletes the segments with it', async (kind, options) => {
  const name = `${kind}.bin`;
  const md5 = here.writeRandom(name, 5 * mebibyte + 123);
  await swift('upload', '-S', String(mebibyte), ...options, 'large', name);
  expect((await swift('list', 'large_segments')).trim().split('\n')).toHaveLength(6);
  expect((await stat('large', name))['Content Length']).toBe(String(5 * mebibyte + 123));
  await swift('download', 'large', name, '-o', `back-${name}`);
  expect(here.md5(`back-${name}`)).toBe(md5);
  await swift('delete', 'large', name);
  expect((await swift('list', 'large_segments')).trim()).toBe('');
});

test('sets and shows metadata of account, container and object', async () => {
  writeFileSync(path.join(here.directory, 'described'), 'text');
  await swift('upload', 'box', 'described', '-H', 'Content-Type: text/x-kind', '-H', 'X-Object-Meta-First: 1');
  expect(await stat('box', 'described')).toMatchObject({ 'Content Type': 'text/x-kind', 'Meta First': '1' });
  await swift('post', 'box', 'described', '-m', 'Second:two');
  const described = await stat('box', 'described');
  expect(described).toMatchObject({ 'Meta Second': 'two', ETag: '1cb251ec0d568de6a929b520c4aed8d1' });
  expect(described).not.toHaveProperty('Meta First');
  await swift('post', 'box', '-m', 'Colour:blue', '-r', '.r:*');
  expect(await stat('box')).toMatchObject({ 'Meta Colour': 'blue', 'Read ACL': '.r:*' });
  await swift('post', '-m', 'Owner:me');
  expect(await stat()).toMatchObject({ 'Meta Owner': 'me' });
});

test('copies an object, with new metadata', async () => {
  const md5 = here.writeRandom('original', 70_000);
  await swift('upload', 'box', 'original');
  await swift('copy', '-d', '/copies/of-it', '-m', 'Kind:copy', 'box', 'original');
  expect(await stat('copies', 'of-it')).toMatchObject({ ETag: md5, 'Meta Kind': 'copy' });
});

test('signs a URL that lets anybody read, and only read', async () => {
  const md5 = here.writeRandom('secret', 50_000);
  await swift('upload', 'private', 'secret');
  await swift('post', '-m', 'Temp-URL-Key:mykey');
  const account = new URL(here.server.storageUrl()).pathname;
  const signed = (await swift('tempurl', 'GET', '600', `${account}/private/secret`, 'mykey')).trim();
  const answer = await fetch(here.server.url + signed);
  expect(answer.status).toBe(200);
  writeFileSync(path.join(here.directory, 'signed'), Buffer.from(await answer.arrayBuffer()));
  expect(here.md5('signed')).toBe(md5);
  expect((await fetch(here.server.url + signed, { method: 'PUT', body: 'x' })).status).toBe(401);
});

test('keeps versions', async () => {
  await swift('post', 'versioned', '-H', 'X-Versions-Enabled: true');
  for (const text of ['first', 'second']) {
    mkdirSync(path.join(here.directory, 'versions'), { recursive: true });
    writeFileSync(path.join(here.directory, 'versions/file'), text);
    await swift('upload', 'versioned', 'versions/file', '--object-name', 'file');
  }
  expect((await swift('list', 'versioned', '--versions')).match(/file/g)).toHaveLength(2);
});

test('tells what the server can do', async () => {
  const info = await swift('info');
  for (const feature of ['slo', 'tempurl', 'tempauth', 'versioned_writes', 's3api']) expect(info).toContain(feature);
});

test('deletes containers with all that is in them', async () => {
  for (const container of ['box', 'copies', 'private', 'large', 'large_segments']) await swift('delete', container);
  expect((await swift('list')).trim().split('\n')).toEqual(['versioned']);
});
