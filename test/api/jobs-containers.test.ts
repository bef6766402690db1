import loadSqlite from 'sql.js';
import { startServer } from '../support/server';
import { tarOf } from '../support/tar';
import { JobClient, useJobs } from './jobs-support';

const client = useJobs({ env: { MAX_INPUT_BYTES: '40000000', MAX_SESSIONS: '2' } });
let cat: string;

beforeAll(async () => {
  cat = await client.guest('cat');
  for (const container of ['box', 'box-2', 'none', 'out']) await client.put(container);
  await client.put('box/b%20%C3%BC', 'second', { 'content-type': 'text/x-second' });
  await client.put('box/a', 'first one');
  await client.put('box-2/c', 'third');
});

const copy = (path: string, more: object = {}) => [
  {
    name: 'copy',
    exec: { path: cat },
    devices: [
      { name: 'stdin', path },
      { name: 'stdout', ...more },
    ],
  },
];

async function queryObject(name: string, sql: string): Promise<unknown[][]> {
  const response = await client.server.request(`${client.account}/out/${name}`);
  const sqlite = await loadSqlite();
  const database = new sqlite.Database(new Uint8Array(await response.arrayBuffer()));
  expect(database.exec('PRAGMA integrity_check')[0]!.values).toEqual([['ok']]);
  return database.exec(sql)[0]?.values ?? [];
}

/** Runs Python over devices. */
async function python(code: string, devices: object[]) {
  const map = [
    { name: 'py', exec: { path: 'file://python:python', args: 'main.py' }, devices: [...devices, { name: 'stdout' }] },
  ];
  const archive = await tarOf({ 'boot/system.map': JSON.stringify(map), 'main.py': code });
  return client.post(archive, { 'content-type': 'application/x-tar' });
}

test('a container is its listing as a SQLite database', async () => {
  const answer = await client.job(copy('swift://~/box', { path: 'swift://~/out/box.db' }));
  expect([answer.status, answer.headers['x-nexe-error']]).toEqual([200, undefined]);
  const rows = await queryObject('box.db', 'SELECT name, size, content_type, etag, deleted FROM object ORDER BY name');
  expect(rows).toEqual([
    ['a', 9, 'application/octet-stream', expect.stringMatching(/^[0-9a-f]{32}$/), 0],
    ['b ü', 6, 'text/x-second', expect.stringMatching(/^[0-9a-f]{32}$/), 0],
  ]);
  const [[createdAt]] = (await queryObject('box.db', 'SELECT created_at FROM object WHERE ROWID = 1')) as [[string]];
  expect(createdAt).toMatch(/^\d{10}\.\d{5}$/);
});

test('a container without objects is a database without rows', async () => {
  expect((await client.job(copy('swift://~/none', { path: 'swift://~/out/none.db' }))).status).toBe(200);
  expect(await queryObject('none.db', 'SELECT count(*) FROM object')).toEqual([[0]]);
});

test('the same rows are there as lines of JSON, and the environment tells of the container', async () => {
  const code = `
import json, os
rows = [json.loads(line) for line in open('/dev/input.json')]
print(json.dumps([[row['name'], row['size'], row['content_type'], row['deleted']] for row in rows]))
print(open('/dev/input', 'rb').read(15).decode())
for name in ('OBJECT', 'PATH_INFO', 'DOCUMENT_ROOT', 'CONTENT_TYPE', 'CONTENT_LENGTH'): print(os.environ['LOCAL_' + name])
print(sorted(set(rows[0])))
`;
  const answer = await python(code, [{ name: 'input', path: 'swift://~/box' }]);
  expect(answer.status).toBe(200);
  expect(answer.body.split('\n')).toEqual([
    '[["a", 9, "application/octet-stream", 0], ["b \\u00fc", 6, "text/x-second", 0]]',
    'SQLite format 3',
    'on',
    '/AUTH_test/box',
    '/dev/input',
    'application/octet-stream',
    '8192',
    "['content_type', 'created_at', 'deleted', 'etag', 'name', 'size']",
    '',
  ]);
});

test('a wildcard gives a node for each container, and names outputs', async () => {
  const answer = await client.job(copy('swift://~/box*', { path: 'swift://~/out/all*.db' }));
  expect([answer.status, answer.headers['x-nexe-system']]).toEqual([200, 'copy-1,copy-2']);
  expect(await queryObject('all.db', 'SELECT name FROM object')).toEqual([['a'], ['b ü']]);
  expect(await queryObject('all-2.db', 'SELECT name FROM object')).toEqual([['c']]);
  const none = await client.job(copy('swift://~/nothing*'));
  expect([none.status, none.body]).toEqual([400, 'No objects found in path swift://AUTH_test/nothing*']);
});

test.each([
  ['a missing container', () => copy('swift://~/missing'), 404, 'Error while fetching /AUTH_test/missing'],
  [
    'a missing container in a job of many nodes',
    () => [...copy('swift://~/box'), { ...copy('swift://~/missing')[0], name: 'other' }],
    404,
    'Error while fetching /AUTH_test/missing',
  ],
  [
    'a container that is not the local one',
    [
      {
        name: 'two',
        exec: { path: 'file://python:python' },
        devices: [
          { name: 'input', path: 'swift://~/box' },
          { name: 'stdin', path: 'swift://~/box/a' },
        ],
      },
    ],
    400,
    'Cannot use container /AUTH_test/box as a remote object reference',
  ],
  [
    'a container as image',
    [{ name: 'tar', exec: { path: 'file://python:python' }, devices: [{ name: 'image', path: 'swift://~/box' }] }],
    400,
    'Cannot use container /AUTH_test/box as a remote object reference',
  ],
  [
    'another device where the lines are',
    [
      {
        name: 'twice',
        exec: { path: 'file://python:python' },
        devices: [
          { name: 'input-a.json', path: 'swift://~/box/a' },
          { name: 'input-a', path: 'swift://~/box' },
        ],
      },
    ],
    400,
    'Duplicate device name: input-a.json in twice',
  ],
  [
    'a container to be written',
    [{ name: 'out', exec: { path: 'file://python:python' }, devices: [{ name: 'stdout', path: 'swift://~/box' }] }],
    400,
    'Container path must be read-only',
  ],
])('%s is refused', async (_, job, status, body) => {
  const answer = await client.job(typeof job === 'function' ? job() : job);
  expect([answer.status, answer.body]).toEqual([status, body]);
});

test("a container of another account needs its listing's right", async () => {
  const token = await client.server.token('test2:tester2');
  const job = [{ ...copy('swift://AUTH_test/box')[0], exec: { path: 'swift://AUTH_test/bin/cat' } }];
  const send = () => client.job(job, { 'x-auth-token': token }, '/v1/AUTH_test2');
  await client.send('POST', `${client.account}/bin`, { 'x-container-read': 'test2:tester2' });
  expect((await send()).status).toBe(403);
  await client.send('POST', `${client.account}/box`, { 'x-container-read': '.r:*' });
  expect((await send()).status).toBe(403);
  await client.send('POST', `${client.account}/box`, { 'x-container-read': '.r:*,.rlistings' });
  const answer = await send();
  expect([answer.status, answer.body.slice(0, 15)]).toEqual([200, 'SQLite format 3']);
});

test('a listing beyond the limit of inputs is refused', async () => {
  const small = await startServer({ env: { MAX_INPUT_BYTES: '8000' } });
  try {
    const other = new JobClient(small);
    const job = copy('swift://~/bin').map((group) => ({ ...group, exec: { path: 'file://python:python' } }));
    await other.put('bin');
    await other.put('bin/x');
    const answer = await other.job(job);
    // The database has two pages at least, which is more than 8,000 bytes.
    expect([answer.status, answer.body]).toEqual([413, 'Data object too large']);
  } finally {
    await small.close();
  }
});
