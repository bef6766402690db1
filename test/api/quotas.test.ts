import { startServer, type TestServer } from '../support/server';

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('quotas, %s', (_name, split) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ split });
  });
  afterAll(() => server.close());

  const request = (path: string, method: string, headers: Record<string, string> = {}, body?: string) =>
    server.request(`/v1/AUTH_test${path}`, { method, headers, body });
  const asReseller = async (method: string, headers: Record<string, string>) =>
    request('', method, { ...headers, 'x-auth-token': await server.token('admin:admin', 'admin') });
  const setAccountQuota = async (value: string) => {
    expect((await asReseller('POST', { 'x-account-meta-quota-bytes': value })).status).toBe(204);
  };
  const textOf = async (answer: Response) => [answer.status, await answer.text()];
  const exceeded = [413, 'Upload exceeds quota.'];

  test('a container takes no more bytes than its quota', async () => {
    await request('/bytes', 'PUT', { 'x-container-meta-quota-bytes': '10' });
    expect((await request('/bytes/a', 'PUT', {}, '1234567')).status).toBe(201);
    expect(await textOf(await request('/bytes/b', 'PUT', {}, '1234'))).toEqual(exceeded);
    expect((await request('/bytes/b', 'PUT', {}, '123')).status).toBe(201);
    expect((await request('/bytes', 'HEAD')).headers.get('x-container-meta-quota-bytes')).toBe('10');
  });

  test('an object that takes the place of another needs room beside it, as Swift counts', async () => {
    await request('/replace', 'PUT', { 'x-container-meta-quota-bytes': '10' });
    await request('/replace/a', 'PUT', {}, '1234567');
    expect(await textOf(await request('/replace/a', 'PUT', {}, '1234'))).toEqual(exceeded);
    expect(await (await request('/replace/a', 'GET')).text()).toBe('1234567');
  });

  test('a container takes no more objects than its quota', async () => {
    await request('/count', 'PUT', { 'x-container-meta-quota-count': '1' });
    expect((await request('/count/a', 'PUT', {}, '')).status).toBe(201);
    expect(await textOf(await request('/count/b', 'PUT', {}, ''))).toEqual(exceeded);
    expect(await textOf(await request('/count/a', 'PUT', {}, ''))).toEqual(exceeded);
    await request('/count', 'POST', { 'x-remove-container-meta-quota-count': 'x' });
    expect((await request('/count/b', 'PUT', {}, '')).status).toBe(201);
  });

  test('a body of unknown length is cut off where the quota ends, and nothing of it is stored', async () => {
    await request('/chunked', 'PUT', { 'x-container-meta-quota-bytes': '10' });
    const { hostname, port } = new URL(server.url);
    const head = `PUT /v1/AUTH_test/chunked/o HTTP/1.1\r\nHost: ${hostname}:${port}\r\nX-Auth-Token: ${await server.token()}\r\n`;
    const answer = await server.raw(
      `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect((await request('/chunked/o', 'HEAD')).status).toBe(404);
  });

  test('a copy needs room as well, and a part of an object only for the part', async () => {
    await request('/source', 'PUT');
    await request('/source/o', 'PUT', {}, '1234567890');
    await request('/narrow', 'PUT', { 'x-container-meta-quota-bytes': '9' });
    expect(await textOf(await request('/source/o', 'COPY', { destination: 'narrow/o' }))).toEqual(exceeded);
    expect((await request('/source/o', 'COPY', { destination: 'narrow/o', range: 'bytes=0-8' })).status).toBe(201);
  });

  test('a container quota that is no whole number is refused', async () => {
    expect(await textOf(await request('/odd', 'PUT', { 'x-container-meta-quota-bytes': '1.5' }))).toEqual([
      400,
      'Invalid bytes quota.',
    ]);
    expect(await textOf(await request('/odd', 'PUT', { 'x-container-meta-quota-count': '-1' }))).toEqual([
      400,
      'Invalid count quota.',
    ]);
    expect((await request('/odd', 'HEAD')).status).toBe(404);
  });

  test('who may not write learns that, and nothing of the quota', async () => {
    await request('/private', 'PUT', { 'x-container-meta-quota-count': '0' });
    const answer = await request('/private/o', 'PUT', { 'x-auth-token': '' }, 'x');
    expect(answer.status).toBe(401);
  });

  test('an account takes no more bytes than its quota, which reseller admins set', async () => {
    await request('/account', 'PUT');
    const used = Number((await request('', 'HEAD')).headers.get('x-account-bytes-used'));
    await setAccountQuota(String(used + 5));
    expect((await request('/account/o', 'PUT', {}, '12345')).status).toBe(201);
    expect(await textOf(await request('/account/p', 'PUT', {}, '1'))).toEqual(exceeded);
    expect((await request('/account/p', 'PUT', {}, '')).status).toBe(201);
    const reseller = { 'x-auth-token': await server.token('admin:admin', 'admin') };
    expect((await request('/account/p', 'PUT', reseller, '1')).status).toBe(201);
    expect((await asReseller('POST', { 'x-remove-account-meta-quota-bytes': 'x' })).status).toBe(204);
    expect((await request('/account/p', 'PUT', {}, '1')).status).toBe(201);
  });

  const writeJob = (text: string, target: string) =>
    JSON.stringify([
      {
        name: 'write',
        exec: { path: 'file://python:python', args: `-c "open('/dev/output','w').write('${text}')"` },
        file_list: [{ device: 'python' }, { device: 'output', path: target }],
      },
    ]);
  const runJob = (job: string) =>
    request('', 'POST', { 'x-zerovm-execute': '1.0', 'content-type': 'application/json' }, job);

  test('the output of a job ends where the quota of its container does', async () => {
    await request('/jobs', 'PUT', { 'x-container-meta-quota-bytes': '10' });
    expect((await runJob(writeJob('1234', 'swift://AUTH_test/jobs/a'))).status).toBe(200);
    expect(await (await request('/jobs/a', 'GET')).text()).toBe('1234');
    await runJob(writeJob('123456789', 'swift://AUTH_test/jobs/b'));
    expect(Number((await request('/jobs', 'HEAD')).headers.get('x-container-bytes-used'))).toBeLessThanOrEqual(10);
  });

  test('a job stores nothing in a container that is full', async () => {
    await request('/full', 'PUT', { 'x-container-meta-quota-count': '1' });
    await request('/full/o', 'PUT', {}, 'x');
    const answer = await runJob(writeJob('1', 'swift://AUTH_test/full/p'));
    expect(await textOf(answer)).toEqual(exceeded);
    expect((await request('/full/p', 'HEAD')).status).toBe(404);
  });

  test('owners of an account neither set nor remove its quota', async () => {
    await setAccountQuota('1000000');
    expect((await request('', 'POST', { 'x-account-meta-quota-bytes': '5' })).status).toBe(403);
    expect((await request('', 'POST', { 'x-remove-account-meta-quota-bytes': 'x' })).status).toBe(403);
    expect((await request('', 'HEAD')).headers.get('x-account-meta-quota-bytes')).toBe('1000000');
    expect((await asReseller('POST', { 'x-account-meta-quota-bytes': 'many' })).status).toBe(400);
    await setAccountQuota('');
  });
});
