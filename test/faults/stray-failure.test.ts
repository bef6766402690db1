import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { proxyMain, startProcess, useDataDir } from '../support/process';
import { until } from '../support/until';

const dataDir = useDataDir();

test('a failure that nobody waited for is logged, and the server goes on', async () => {
  const script = path.join(dataDir(), 'server.cjs');
  const fail = `setTimeout(() => void Promise.reject(new Error('stray')), 100);`;
  await writeFile(script, `${fail} require(${JSON.stringify(path.join(__dirname, '../..', proxyMain))});`);
  const server = startProcess(script, { ZEROCLOUD_PORT: '0', ZEROCLOUD_DATA_DIR: path.join(dataDir(), 'data') });
  const url = await server.url();
  await until('it is logged', () => server.stderr().includes('nobody waited for'));
  expect(server.stderr()).toContain('Error: stray');
  expect((await fetch(`${url}/healthcheck`)).status).toBe(200);
});
