import { logIn, proxyMain, startProcess, useDataDir } from '../support/process';
import { until } from '../support/until';

/** What the log of the server tells of jobs: a line `zerovm-cdr` for each node (ZeroCloud's logs, section 23). */

const dataDir = useDataDir();

test('every node of every job is logged with its account, transaction, times, transfers and status', async () => {
  const server = startProcess(proxyMain, {
    ZEROCLOUD_PORT: '0',
    ZEROCLOUD_DATA_DIR: dataDir(),
    ZEROCLOUD_MAX_SESSIONS: '1',
    ZEROCLOUD_LOG_LEVEL: 'info',
  });
  const url = await server.url();
  const { token } = await logIn(url);
  const headers = { 'x-auth-token': token, 'x-zerovm-execute': '1.0', 'content-type': 'application/json' };
  const exec = { path: 'file://python:python', args: '-c "print(1)"' };
  const body = JSON.stringify([{ name: 'n', count: 2, exec, devices: [{ name: 'stdout' }] }]);
  const response = await fetch(`${url}/v1/AUTH_test`, { method: 'POST', headers, body });
  expect([response.status, await response.text()]).toEqual([200, '1\n1\n']);
  const id = response.headers.get('x-trans-id')!;
  const lines = () => server.stderr().match(/zerovm-cdr [^"\\]*/g) ?? [];
  await until('both lines are there', () => lines().length >= 2);
  for (const [index, line] of lines().sort().entries()) {
    const cdr = String.raw`\d+\.\d{3}, \d+\.\d\d \d+\.\d\d \d+ \d+ \d+ \d+ 0 0 0 0`;
    expect(line).toMatch(new RegExp(String.raw`^zerovm-cdr AUTH_test ${id} n-${index + 1} \(${cdr}\) \[200\]$`));
  }
});
