import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { md5sBelow, mebibyte, openWorkplace, type Workplace } from './workplace';

/** rclone, with what it knows of Swift and of S3. */

let here: Workplace;

afterEach(() => here.close());

const tree = () => path.join(here.directory, 'tree');

const backends: [string, () => string[]][] = [
  [
    'swift',
    () => [
      'type = swift',
      'user = test:tester',
      'key = testing',
      `auth = ${here.server.url}/auth/v1.0`,
      'auth_version = 1',
      'chunk_size = 2M',
    ],
  ],
  [
    's3',
    () => [
      'type = s3',
      'provider = Other',
      'access_key_id = test:tester',
      'secret_access_key = testing',
      `endpoint = ${here.server.url}`,
      'region = us-east-1',
      'force_path_style = true',
      'upload_cutoff = 5M',
      'chunk_size = 5M',
    ],
  ],
];

describe.each(backends)('the backend %s', (_, settings) => {
  const rclone = (...args: string[]) => here.run('rclone', '--config', 'rclone.conf', '--retries', '1', ...args);

  beforeEach(async () => {
    here = await openWorkplace();
    writeFileSync(path.join(here.directory, 'rclone.conf'), `[it]\n${settings().join('\n')}\n`);
    await rclone('mkdir', 'it:box');
  });

  test('syncs a tree, checks it, follows its changes, and brings it back', async () => {
    const files = [
      ['a', 1],
      ['deep/er/b', 70_000],
      ['deep/ü ß', 10],
      ['empty', 0],
      ['plus+percent%20', 5],
    ] as const;
    for (const [name, sizeBytes] of files) here.writeRandom(`tree/${name}`, sizeBytes);
    await rclone('sync', 'tree', 'it:box/tree');
    await rclone('check', 'tree', 'it:box/tree');
    await rclone('check', '--download', 'tree', 'it:box/tree');

    rmSync(path.join(tree(), 'a'));
    here.writeRandom('tree/deep/er/b', 70_000);
    here.writeRandom('tree/new', 3);
    await rclone('sync', 'tree', 'it:box/tree');
    const listed = await rclone('lsf', '-R', '--files-only', 'it:box/tree');
    expect(listed.trim().split('\n').sort()).toEqual(Object.keys(md5sBelow(tree())).sort());
    await rclone('copy', 'it:box/tree', 'back');
    expect(md5sBelow(path.join(here.directory, 'back'))).toEqual(md5sBelow(tree()));
  });

  test('puts a large file in chunks and gets it back', async () => {
    const md5 = here.writeRandom('tree/large', 13 * mebibyte + 7);
    // Larger than the chunk, so that it is divided.
    await rclone('copy', 'tree', 'it:box');
    await rclone('check', '--download', 'tree', 'it:box');
    await rclone('copyto', 'it:box/large', 'back');
    expect(here.md5('back')).toBe(md5);
    expect(await rclone('cat', '--offset', '5242870', '--count', '20', 'it:box/large')).toHaveLength(
      (await here.run('sh', '-c', 'tail -c +5242871 tree/large | head -c 20')).length,
    );
  });

  test('copies on the server, moves, deletes and purges', async () => {
    const md5 = here.writeRandom('tree/one', 100_000);
    await rclone('copy', 'tree', 'it:box/from');
    await rclone('copy', 'it:box/from', 'it:box/to');
    await rclone('moveto', 'it:box/from/one', 'it:box/moved');
    expect((await rclone('md5sum', 'it:box')).trim().split('\n').sort()).toEqual([`${md5}  moved`, `${md5}  to/one`]);
    await rclone('deletefile', 'it:box/moved');
    expect((await rclone('size', '--json', 'it:box')).trim()).toMatch(/"count":1,"bytes":100000/);
    await rclone('purge', 'it:box');
    expect((await rclone('lsd', 'it:')).trim()).toBe('');
  });
});
