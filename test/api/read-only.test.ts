import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startServer, type TestServer } from '../support/server';

const disabled = [405, 'Writes are disabled for this account.'];

describe('read-only accounts', () => {
  let server: TestServer;
  let dataDir: string;
  const start = async (env: Record<string, string>) => {
    server = await startServer({ dataDir, env });
  };
  const request = async (path: string, method: string, headers: Record<string, string> = {}, body?: string) => {
    const answer = await server.request(`/v1/${path}`, { method, headers, body });
    return [answer.status, await answer.text()];
  };

  beforeAll(async () => {
    dataDir = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-'));
    await start({});
    await request('AUTH_test/c', 'PUT');
    await request('AUTH_test/c/o', 'PUT', {}, 'kept');
    const write = { 'x-container-write': 'test:tester', 'x-container-read': 'test:tester' };
    const token = await server.token('test2:tester2', 'testing2');
    await request('AUTH_test2/open', 'PUT', { 'x-auth-token': token, ...write });
    await server.close();
  });
  afterEach(() => server.close());
  afterAll(() => rm(dataDir, { recursive: true, force: true }));

  test('are read and not written', async () => {
    await start({ READ_ONLY_ACCOUNTS: 'AUTH_test' });
    expect(await request('AUTH_test/c/o', 'GET')).toEqual([200, 'kept']);
    expect(await request('AUTH_test/c/p', 'PUT', {}, 'x')).toEqual(disabled);
    expect(await request('AUTH_test/c/o', 'POST')).toEqual(disabled);
    expect(await request('AUTH_test/c/o', 'DELETE')).toEqual(disabled);
    expect(await request('AUTH_test/d', 'PUT')).toEqual(disabled);
    expect(await request('AUTH_test', 'POST')).toEqual(disabled);
    expect(await request('AUTH_test2/open/o', 'PUT', {}, 'x')).toEqual([201, '']);
  });

  test('may be a source of a copy, and no target', async () => {
    await start({ READ_ONLY_ACCOUNTS: 'AUTH_test2' });
    expect(
      await request('AUTH_test/c/o', 'COPY', { destination: 'open/p', 'destination-account': 'AUTH_test2' }),
    ).toEqual(disabled);
    expect(
      (await request('AUTH_test/c/q', 'PUT', { 'x-copy-from': 'open/o', 'x-copy-from-account': 'AUTH_test2' }))[0],
    ).toBe(201);
  });

  test('may be all of them, with deletes allowed', async () => {
    await start({ READ_ONLY_ACCOUNTS: '*', READ_ONLY_DELETES: 'yes' });
    expect(await request('AUTH_test/c/p', 'PUT', {}, 'x')).toEqual(disabled);
    expect((await request('AUTH_test/c/q', 'DELETE'))[0]).toBe(204);
  });

  test('run jobs that read, and refuse those that would write', async () => {
    const job = (output: Record<string, string>) =>
      JSON.stringify([
        {
          name: 'copy',
          exec: {
            path: 'file://python:python',
            args: '-c "print(open(chr(47)+chr(100)+chr(101)+chr(118)+chr(47)+chr(105)+chr(110)+chr(112)+chr(117)+chr(116)).read())"',
          },
          file_list: [
            { device: 'python' },
            { device: 'input', path: 'swift://AUTH_test/c/o' },
            { device: 'stdout', ...output },
          ],
        },
      ]);
    const headers = { 'x-zerovm-execute': '1.0', 'content-type': 'application/json' };
    await start({ READ_ONLY_ACCOUNTS: 'AUTH_test' });
    expect(await request('AUTH_test', 'POST', headers, job({}))).toEqual([200, 'kept\n']);
    await request('AUTH_test', 'POST', headers, job({ path: 'swift://AUTH_test/c/out' }));
    expect((await request('AUTH_test/c/out', 'GET'))[0]).toBe(404);
  });
});
