import { useJobs } from './jobs-support';

/** The plan of a text that was posted before is kept; everything else is found out anew, for every request. */

const client = useJobs();
let cat: string;

beforeAll(async () => {
  cat = await client.guest('cat');
  await client.put('data');
});

const reading = (path: string) => [
  { name: 'n', exec: { path: cat }, devices: [{ name: 'stdin', path }, { name: 'stdout' }] },
];

async function run(description: unknown): Promise<[number, string]> {
  const { status, body } = await client.job(description);
  return [status, body];
}

test('a job sees what its objects are now', async () => {
  const description = reading('swift://~/data/changing');
  await client.put('data/changing', 'first');
  expect(await run(description)).toEqual([200, 'first']);
  await client.put('data/changing', 'second');
  expect(await run(description)).toEqual([200, 'second']);
  await client.send('DELETE', `${client.account}/data/changing`);
  expect((await run(description))[0]).toBe(404);
  await client.put('data/changing', 'third');
  expect(await run(description)).toEqual([200, 'third']);
});

test('a wildcard matches what there is now', async () => {
  const description = reading('swift://~/data/star-*');
  await client.put('data/star-1', 'one,');
  expect(await run(description)).toEqual([200, 'one,']);
  await client.put('data/star-2', 'two,');
  expect(await run(description)).toEqual([200, 'one,two,']);
});

test('a right that was taken away is gone', async () => {
  const owner = { 'x-auth-token': await client.server.token('test2:tester2') };
  const lend = (acl: string) => client.send('PUT', '/v1/AUTH_test2/lent', { ...owner, 'x-container-read': acl });
  await lend('test:tester');
  await client.send('PUT', '/v1/AUTH_test2/lent/in', owner, 'lent');
  const description = reading('swift://AUTH_test2/lent/in');
  expect(await run(description)).toEqual([200, 'lent']);
  await lend('');
  expect((await run(description))[0]).toBe(403);
});

test('the own account is that of the request', async () => {
  const owner = { 'x-auth-token': await client.server.token('test2:tester2') };
  await client.send('PUT', '/v1/AUTH_test2/data', owner);
  await client.send('PUT', '/v1/AUTH_test2/data/same', owner, 'theirs');
  await client.put('data/same', 'ours');
  const description = [
    {
      name: 'n',
      exec: { path: 'swift://AUTH_test/bin/cat' },
      devices: [{ name: 'stdin', path: 'swift://~/data/same' }, { name: 'stdout' }],
    },
  ];
  expect(await run(description)).toEqual([200, 'ours']);
  const reader = { 'x-auth-token': await client.server.token('admin:admin') };
  const { status, body } = await client.job(description, reader, '/v1/AUTH_test2');
  expect([status, body]).toEqual([200, 'theirs']);
  expect(await run(description)).toEqual([200, 'ours']);
});

test('jobs with one plan can run at the same time', async () => {
  const description = reading('swift://~/data/many');
  await client.put('data/many', 'x'.repeat(1000));
  const answers = await Promise.all(Array.from({ length: 20 }, () => run(description)));
  for (const answer of answers) expect(answer).toEqual([200, 'x'.repeat(1000)]);
});
