import type { NodeDescription } from '@zerocloud/object-server';
import { startServer, type TestServer } from '../support/server';
import { JobClient } from './jobs-support';

let nowMs = Date.now();
let server: TestServer;
let jobs: JobClient;

beforeAll(async () => {
  server = await startServer({ now: () => nowMs });
  jobs = new JobClient(server);
});
afterAll(() => server.close());

test('system images that the storage node has since it came back are known to jobs, without a new proxy', async () => {
  const description = [{ name: 'n', exec: { path: 'file://newimage:prog' }, devices: [{ name: 'stdout' }] }];
  expect(await jobs.job(description)).toMatchObject({ status: 400, body: 'No executable found in request' });

  const before: NodeDescription = await server.node.describe();
  const after = { ...before, systemImages: [...before.systemImages, 'newimage'] };
  const describe = jest.spyOn(server.node, 'describe').mockResolvedValue(after);
  nowMs += 10_000;
  // It is the storage node now that does not know it.
  expect((await jobs.job(description)).body).toContain('newimage');
  await jobs.job(description);
  expect(describe).toHaveBeenCalledTimes(1);
});
