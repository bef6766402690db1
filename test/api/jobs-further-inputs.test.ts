import { useJobs } from './jobs-support';

describe('further inputs', () => {
  const client = useJobs();

  beforeAll(async () => {
    for (const container of ['numbers', 'programs']) await client.put(container);
    for (const number of [1, 2, 3]) await client.put(`numbers/${number}`, String(number));
    const sum =
      'import os; print(sum(int(open("/dev/" + n).read()) for n in os.listdir("/dev") if n.startswith("input-")))';
    await client.put('programs/sum.py', sum);
  });

  const job = (...devices: object[]) => [
    {
      name: 'sum',
      exec: { path: 'file://python:python', args: '/dev/script' },
      devices: [
        { name: 'python' },
        { name: 'script', path: 'swift://~/programs/sum.py' },
        ...devices,
        { name: 'stdout' },
      ],
    },
  ];

  test('let one node read many objects', async () => {
    const inputs = [1, 2, 3].map((number) => ({ name: `input-${number}`, path: `swift://~/numbers/${number}` }));
    expect(await client.job(job(...inputs))).toMatchObject({ status: 200, body: '6\n' });
  });

  test('follow wildcards like any other input', async () => {
    expect(await client.job(job({ name: 'input-n', path: 'swift://~/numbers/*' }))).toMatchObject({
      status: 200,
      body: '1\n2\n3\n',
      headers: { 'x-nexe-system': 'sum-1,sum-2,sum-3' },
    });
  });

  test('need the right to read', async () => {
    const denied = await client.job(job({ name: 'input-1', path: 'swift://AUTH_test2/numbers/1' }));
    expect(denied.status).toBe(403);
  });

  test('that are missing answer 404', async () => {
    expect((await client.job(job({ name: 'input-1', path: 'swift://~/numbers/none' }))).status).toBe(404);
  });

  test.each(['data', 'input-', 'input-a/b', 'null'])('may not be called %s', async (name) => {
    expect(await client.job(job({ name, path: 'swift://~/numbers/1' }))).toMatchObject({
      status: 400,
      body: `Could not resolve channel path "swift://AUTH_test/numbers/1" for device: ${name}`,
    });
  });
});
