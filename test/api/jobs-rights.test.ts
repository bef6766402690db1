import { useJobs } from './jobs-support';

const client = useJobs();
let cat: string;

/** Containers of test2, and what they grant. */
const containers: Record<string, Record<string, string>> = {
  private: {},
  readable: { 'x-container-read': 'test:tester' },
  listable: { 'x-container-read': '.r:*,.rlistings' },
  public: { 'x-container-read': '.r:*' },
  writable: { 'x-container-write': 'test:tester' },
};

async function asOwner(method: string, name: string, headers: Record<string, string> = {}, body?: string) {
  return client.send(
    method,
    `/v1/AUTH_test2/${name}`,
    { 'x-auth-token': await client.server.token('test2:tester2'), ...headers },
    body,
  );
}

beforeAll(async () => {
  cat = await client.guest('cat');
  await client.put('data');
  for (const [name, acl] of Object.entries(containers)) {
    await asOwner('PUT', name, acl);
    await asOwner('PUT', `${name}/in`, {}, `in ${name}`);
  }
});

const reading = (path: string) => [
  { name: 'n', exec: { path: cat }, devices: [{ name: 'stdin', path }, { name: 'stdout' }] },
];

describe('jobs run', () => {
  test('in accounts one owns, and in no others', async () => {
    const description = [{ name: 'n', exec: { path: 'swift://AUTH_test/bin/cat' } }];
    const run = async (user: string, account: string) =>
      (await client.job(description, { 'x-auth-token': user && (await client.server.token(user)) }, `/v1/${account}`))
        .status;
    expect(await run('test:tester', 'AUTH_test')).toBe(200);
    expect(await run('admin:admin', 'AUTH_test')).toBe(200);
    expect(await run('test:tester3', 'AUTH_test')).toBe(403);
    expect(await run('test2:tester2', 'AUTH_test')).toBe(403);
    expect(await run('', 'AUTH_test')).toBe(401);
    expect(await run('test2:tester2', 'AUTH_test2')).toBe(403);
  });

  test('are refused before their body is read', async () => {
    const answer = await client.post('not even JSON', { 'content-type': 'application/json', 'x-auth-token': '' });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Swift realm="AUTH_test"']);
  });
});

describe('what is not one’s own', () => {
  test.each<[string, number, string]>([
    ['private/in', 403, ''],
    ['readable/in', 200, 'in readable'],
    ['public/in', 200, 'in public'],
    ['writable/in', 403, ''],
    ['gone/in', 403, ''],
  ])('can be read as its ACL says: %s', async (path, status, body) => {
    const answer = await client.job(reading(`swift://AUTH_test2/${path}`));
    expect(answer.status).toBe(status);
    if (status === 200) expect(answer.body).toBe(body);
  });

  test('can be a program only if it can be read', async () => {
    await asOwner('PUT', 'private/prog', {}, 'no module');
    await asOwner('PUT', 'readable/prog', {}, 'no module');
    const run = (path: string) => client.job([{ name: 'n', exec: { path } }]);
    expect((await run('swift://AUTH_test2/private/prog')).status).toBe(403);
    expect((await run('swift://AUTH_test2/readable/prog')).headers['x-nexe-status']).toBe('validation failed');
  });

  test.each<[string, number]>([
    ['readable/*', 200],
    ['listable/*', 200],
    ['public/*', 403],
    ['private/*', 403],
    ['*/in', 403],
  ])('can be matched only where it can be listed: %s', async (path, status) => {
    expect((await client.job(reading(`swift://AUTH_test2/${path}`))).status).toBe(status);
  });

  test('can be written as its ACL says', async () => {
    const writing = (path: string) => [
      {
        name: 'n',
        exec: { path: cat },
        devices: [
          { name: 'stdin', path: 'swift://AUTH_test2/public/in' },
          { name: 'stdout', path },
          { name: 'stderr', path: 'swift://~/data/later' },
        ],
      },
    ];
    const granted = await client.job(writing('swift://AUTH_test2/writable/out'));
    expect([granted.status, granted.headers['x-nexe-error']]).toEqual([200, undefined]);
    expect((await asOwner('GET', 'writable/out')).body).toBe('in public');
    expect((await client.send('DELETE', '/v1/AUTH_test/data/later')).status).toBe(204);
    const refused = await client.job(writing('swift://AUTH_test2/private/out'));
    expect([refused.status, refused.headers['x-nexe-error'], refused.headers['x-nexe-status']]).toEqual([
      403,
      'Status 403 Forbidden when putting /AUTH_test2/private/out',
      'ok',
    ]);
    expect((await asOwner('GET', 'private/out')).status).toBe(404);
    expect((await client.get('data/later')).status).toBe(404);
  });

  test('refuses the whole job when it is the local output', async () => {
    const answer = await client.job([
      { name: 'n', exec: { path: cat }, devices: [{ name: 'stdout', path: 'swift://AUTH_test2/private/out' }] },
    ]);
    expect([answer.status, answer.headers['x-nexe-status']]).toEqual([403, undefined]);
  });
});

test('a script’s object must be readable', async () => {
  const owner = { 'x-auth-token': await client.server.token('test2:tester2') };
  const script = '#!file://python:python\nprint(input())\n';
  const headers = { 'x-zerovm-execute': '1.0', 'content-type': 'text/plain' };
  const post = (target: string) => client.send('POST', target, { ...headers, ...owner }, script);
  expect((await post('/v1/AUTH_test2/private/in')).body).toBe('in private\n');
  expect((await post('/v1/AUTH_test/data/in')).status).toBe(403);
});
