import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { md5sBelow, mebibyte, openWorkplace, type Workplace } from './workplace';

/** s3cmd, with signatures of version 4 and of version 2. */

let here: Workplace;

afterEach(() => here.close());

describe.each([
  ['4', 'False'],
  ['2', 'True'],
])('with signatures of version %s', (_, signsOldWay) => {
  const s3cmd = (...args: string[]) => here.run('s3cmd', '-c', 's3cfg', '--no-progress', ...args);

  beforeEach(async () => {
    here = await openWorkplace();
    const { host } = new URL(here.server.url);
    const settings = {
      access_key: 'test:tester',
      secret_key: 'testing',
      host_base: host,
      host_bucket: host,
      use_https: 'False',
      signature_v2: signsOldWay,
      bucket_location: 'us-east-1',
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
    writeFileSync(path.join(here.directory, 's3cfg'), `[default]\n${lines.join('')}`);
    await s3cmd('mb', 's3://box');
  });

  test('puts, lists, shows, gets and deletes', async () => {
    const md5 = here.writeRandom('file', 100_000);
    await s3cmd(
      'put',
      'file',
      's3://box/dir/fi le+ü',
      '--add-header=x-amz-meta-colour:blue',
      '--mime-type=text/x-kind',
    );
    expect(await s3cmd('ls', '-r', 's3://box')).toMatch(/ 100000 {2}s3:\/\/box\/dir\/fi le\+ü\n$/);
    expect(await s3cmd('ls', 's3://box')).toContain('DIR  s3://box/dir/');
    const info = await s3cmd('info', 's3://box/dir/fi le+ü');
    for (const text of [md5, 'text/x-kind', 'x-amz-meta-colour: blue']) expect(info).toContain(text);
    await s3cmd('get', 's3://box/dir/fi le+ü', 'back');
    expect(here.md5('back')).toBe(md5);
    await s3cmd('del', 's3://box/dir/fi le+ü');
    expect((await s3cmd('ls', '-r', 's3://box')).trim()).toBe('');
    await s3cmd('rb', 's3://box');
    expect(await s3cmd('ls')).not.toContain('box');
  });

  test('puts a large file in parts', async () => {
    const md5 = here.writeRandom('large', 12 * mebibyte + 5);
    await s3cmd('put', '--multipart-chunk-size-mb=5', 'large', 's3://box/large');
    await s3cmd('get', 's3://box/large', 'back');
    expect(here.md5('back')).toBe(md5);
    expect((await s3cmd('multipart', 's3://box')).trim().split('\n')).toHaveLength(2);
  });

  test('syncs a tree both ways, copies, moves and deletes many', async () => {
    for (const name of ['a', 'b/c', 'b/d']) here.writeRandom(`tree/${name}`, 5000);
    await s3cmd('sync', 'tree/', 's3://box/tree/');
    await s3cmd('sync', 's3://box/tree/', 'back/');
    const before = md5sBelow(path.join(here.directory, 'tree'));
    expect(md5sBelow(path.join(here.directory, 'back'))).toEqual(before);
    await s3cmd('cp', 's3://box/tree/a', 's3://box/copy');
    await s3cmd('mv', 's3://box/copy', 's3://box/moved');
    await s3cmd('get', 's3://box/moved', 'moved');
    expect(here.md5('moved')).toBe(before.a);
    await s3cmd('del', '--recursive', '--force', 's3://box');
    expect((await s3cmd('ls', '-r', 's3://box')).trim()).toBe('');
  });

  test('signs a URL that anybody can read', async () => {
    const md5 = here.writeRandom('file', 1000);
    await s3cmd('put', 'file', 's3://box/file');
    const url = (await s3cmd('signurl', 's3://box/file', '+600')).trim();
    const answer = await fetch(url);
    writeFileSync(path.join(here.directory, 'back'), Buffer.from(await answer.arrayBuffer()));
    expect({ status: answer.status, md5: here.md5('back') }).toEqual({ status: 200, md5 });
  });
});
