import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startServer, type TestServer } from '../support/server';
import { tarOf } from '../support/tar';
import { JobClient } from './jobs-support';

/** The applications in `examples/`, as their users use them. */
const directory = path.join(__dirname, '../../examples');

let server: TestServer;
let client: JobClient;

beforeAll(async () => {
  server = await startServer();
  client = new JobClient(server);
  await client.put('apps');
});

afterAll(() => server.close());

const file = (name: string) => readFile(path.join(directory, name), 'utf8');

async function archive(example: string): Promise<Buffer> {
  const root = path.join(directory, example);
  const found = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Record<string, string> = {};
  for (const entry of found.filter((entry) => entry.isFile())) {
    const name = path.relative(root, path.join(entry.parentPath, entry.name));
    files[name] = await readFile(path.join(root, name), 'utf8');
  }
  return tarOf(files);
}

const asTar = { 'content-type': 'application/x-tar' };
const anonymous = { 'x-auth-token': '' };

test('chain: the second job finds what the first one passed on', async () => {
  await client.put('apps/chain.tar', await archive('chain'), asTar);
  const answer = await client.send('GET', '/open/AUTH_test/apps/chain.tar', { 'user-agent': 'curl/8' });
  expect([answer.status, answer.body, answer.headers['x-nexe-system']]).toEqual([200, 'Hello, curl/8\n', 'second']);
});

test('pretty-json: a GET shows JSON for people to read', async () => {
  await client.put('apps/pretty-json.tar', await archive('pretty-json'), asTar);
  await client.put('.zvm');
  await client.put('.zvm/application/json/config', await file('pretty-json/config'));
  await client.put('docs');
  await client.put('docs/data.json', '{"b":[1,2],"a":null}', { 'content-type': 'application/json' });
  const document = { a: null, b: [1, 2] };
  const answer = await client.send('GET', '/open/AUTH_test/docs/data.json');
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain']);
  expect(answer.body).toBe(`${JSON.stringify(document, undefined, 4)}\n`);
  const narrow = await client.send('GET', '/open/AUTH_test/docs/data.json?indent=1');
  expect(narrow.body).toBe(`${JSON.stringify(document, undefined, 1)}\n`);
  expect((await client.get('docs/data.json')).body).toBe('{"b":[1,2],"a":null}');
});

test('daemon: the modules of an application are imported once for all requests', async () => {
  await client.put('apps/calls.tar', await archive('daemon'), asTar);
  const program = 'print(len("a")); print(zip.own(zip()))';
  for (let i = 0; i < 2; i++) {
    const answer = await client.send('POST', '/open/AUTH_test/apps/calls.tar', {}, program);
    expect([answer.status, answer.headers['x-nexe-cached']]).toEqual([200, 'true']);
    expect(JSON.parse(answer.body)).toEqual({
      len: { calls: 1, kind: 'function' },
      print: { calls: 2, kind: 'function' },
      zip: { calls: 1, kind: 'class' },
      'zip.own': { calls: 1, kind: null },
    });
  }
});

test('sort: every object has its sorted counterpart, named by what the stars took', async () => {
  await client.put('apps/sort.tar', await archive('sort'), asTar);
  await client.put('sorted');
  for (const name of ['lists-a/one', 'lists-a/deep/two', 'lists-b/three']) {
    await client.put(name.split('/')[0]!);
    await client.put(`${name}.txt`, `b ${name}\na ${name}\n`);
  }
  await client.put('lists-b/other.csv', 'no text');
  const answer = await client.post(await file('sort/job.json'), { 'content-type': 'application/json' });
  expect([answer.status, answer.headers['x-nexe-system']]).toEqual([200, 'sort-1,sort-2,sort-3']);
  expect((await client.get('sorted')).body.split('\n').filter(Boolean)).toEqual([
    '-a-deep/two.sorted',
    '-a-one.sorted',
    '-b-three.sorted',
  ]);
  expect((await client.get('sorted/-a-deep/two.sorted')).body).toBe('a lists-a/deep/two\nb lists-a/deep/two\n');
});

test('word-count: three mappers count beside their objects, and one reducer adds up', async () => {
  await client.put('apps/word-count.tar', await archive('word-count'), asTar);
  await client.put('texts');
  const texts = ['The cat and the dog', 'a dog\nand a cat, ', `the ${'end '.repeat(100_000)}`];
  for (const [index, text] of texts.entries()) await client.put(`texts/${index}.txt`, text);
  const counts = new Map<string, number>();
  for (const word of texts.join(' ').toLowerCase().split(/\s+/).filter(Boolean)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const answer = await client.post(await file('word-count/job.json'), { 'content-type': 'application/json' });
  expect([answer.status, answer.headers['x-nexe-system']]).toEqual([200, 'map-1,map-2,map-3,reduce']);
  const byCount = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  expect(answer.body).toBe(byCount.map(([word, count]) => `${count} ${word}\n`).join(''));
});

test('shuffle: four mappers send each page to its reducer of three', async () => {
  await client.put('apps/shuffle.tar', await archive('shuffle'), asTar);
  await client.put('visits');
  await client.put('visitors');
  const visits = Array.from({ length: 20_000 }, (_, index) => ({
    page: `/p${index % 97}`,
    visitor: `v${index % 1013}`,
  }));
  for (let part = 0; part < 4; part++) {
    const own = visits.filter((_, index) => index % 4 === part);
    await client.put(`visits/${part}.log`, own.map(({ page, visitor }) => `${page} ${visitor}\n`).join(''));
  }
  const answer = await client.post(await file('shuffle/job.json'), { 'content-type': 'application/json' });
  expect([answer.status, answer.headers['x-nexe-status']]).toEqual([200, Array(7).fill('ok').join(',')]);
  const counted: string[] = [];
  for (let part = 1; part <= 3; part++) {
    const { body } = await client.get(`visitors/reduce-${part}.txt`);
    expect(body).not.toBe('');
    counted.push(...body.trimEnd().split('\n'));
  }
  const visitors = new Map<string, Set<string>>();
  for (const { page, visitor } of visits) visitors.set(page, (visitors.get(page) ?? new Set()).add(visitor));
  expect(counted.sort()).toEqual([...visitors].map(([page, some]) => `${page} ${some.size}`).sort());
});

describe('the manual', () => {
  const manual = readFile(path.join(__dirname, '../../docs/jobs.md'), 'utf8');
  const indented = (text: string, by: number) => text.trim().replace(/^(?=.)/gm, ' '.repeat(by));

  test('shows the examples as they are', async () => {
    expect(await manual).toContain(indented(await file('pretty-json/config'), 8));
    expect(await manual).toContain(indented(await file('daemon/boot/system.map'), 4));
    const program = await file('chain/first.py');
    expect(await manual).toContain(indented(program.slice(program.indexOf('job = [')), 4));
  });

  test('starts an application from its daemon', async () => {
    const [, commands] = /asked twice:\n\n((?: {4}.*\n)+)/.exec(await manual) ?? [];
    const directoryOfUser = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-manual-'));
    try {
      await cp(path.join(directory, 'daemon'), path.join(directoryOfUser, 'daemon'), { recursive: true });
      const env = { ...process.env, TOKEN: await server.token(), URL: server.storageUrl(), HOST: server.url };
      const { stdout } = await promisify(execFile)('bash', ['-e', '-c', commands!.replaceAll('curl ', 'curl -sSf ')], {
        cwd: directoryOfUser,
        env,
      });
      expect(stdout.match(/x-nexe-cached: true/gi)).toHaveLength(2);
      expect(stdout.match(/"json.dump"/g)).toHaveLength(2);
    } finally {
      await rm(directoryOfUser, { recursive: true });
    }
  });

  test('shows word count as it is, and how to try it', async () => {
    for (const name of ['job.json', 'map.py', 'reduce.py']) {
      expect(await manual).toContain(indented(await file(`word-count/${name}`), 4));
    }
    const [, commands, printed] = /To try it:\n\n((?: {4}.*\n)+)\nprints\n\n((?: {4}.*\n)+)/.exec(await manual) ?? [];
    const own = await startServer();
    const cwd = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-manual-'));
    try {
      await cp(path.join(directory, 'word-count'), path.join(cwd, 'word-count'), { recursive: true });
      const env = { ...process.env, TOKEN: await own.token(), URL: own.storageUrl() };
      const shell = commands!.replaceAll('curl ', 'curl -sSf ');
      const { stdout } = await promisify(execFile)('bash', ['-e', '-c', shell], { cwd, env });
      expect(indented(stdout.replaceAll(/<html>.*?<\/html>/g, ''), 4)).toBe(printed!.trimEnd());
    } finally {
      await own.close();
      await rm(cwd, { recursive: true });
    }
  });

  test('makes a pipeline of two programs', async () => {
    const [, description] = /as in a pipeline of the shell\..*\n\n((?: {4}.*\n)+)/.exec(await manual) ?? [];
    const cat = await client.guest('cat');
    const answers = [];
    for (const name of ['list', 'sort'])
      answers.push(await client.send('COPY', `${client.account}/bin/cat`, { destination: `bin/${name}` }));
    expect([cat, ...answers.map(({ status }) => status)]).toEqual(['swift://~/bin/cat', 201, 201]);
    const answer = await client.job(JSON.parse(description!));
    expect([answer.status, answer.headers['x-nexe-status']]).toEqual([200, 'ok,ok']);
  });

  test('makes the paste bin', async () => {
    const [, commands] = /`examples\/pastebin`\):\n\n((?: {4}.*\n)+)/.exec(await manual) ?? [];
    const directoryOfUser = await mkdtemp(path.join(os.tmpdir(), 'zerocloud-manual-'));
    try {
      await cp(path.join(directory, 'pastebin'), path.join(directoryOfUser, 'pastebin'), { recursive: true });
      const env = { ...process.env, TOKEN: await server.token(), URL: server.storageUrl(), HOST: server.url };
      const { stdout } = await promisify(execFile)('bash', ['-e', '-c', commands!.replaceAll('curl ', 'curl -sSf ')], {
        cwd: directoryOfUser,
        env,
      });
      const lines = stdout.replaceAll(/<html>.*?<\/html>/g, '').split('\n');
      const found = expect.stringMatching(/^http:.*\/api\/AUTH_test\/pastebin\/[a-z0-9]{10}\t1\tprint\("hello"\)$/);
      expect(lines).toEqual(['print("hello")', 'hello', found, '']);
    } finally {
      await rm(directoryOfUser, { recursive: true });
    }
  });
});

describe('pastebin: a service for everybody, in containers that nobody else may touch', () => {
  const api = '/api/AUTH_test/pastebin';

  beforeAll(async () => {
    for (const container of ['pastebin', 'pastes']) {
      await client.put(container, '', {
        'x-container-meta-rest-endpoint': 'swift://AUTH_test/pastebin/app.tar',
        'x-container-meta-zerovm-suid': '.r:*',
      });
    }
    await client.put('pastebin/app.tar', await archive('pastebin'), asTar);
  });

  async function paste(text: string): Promise<string> {
    const answer = await client.send('POST', api, anonymous, text);
    expect([answer.status, answer.headers.location]).toEqual([201, answer.body.trim()]);
    return new URL(answer.headers.location!).pathname;
  }

  test('keeps a text and gives it back', async () => {
    const text = `grüße ${'x'.repeat(100_000)}\n`;
    const address = await paste(text);
    expect(address).toMatch(/^\/api\/AUTH_test\/pastebin\/[a-z0-9]{10}$/);
    const answer = await client.send('GET', address, anonymous);
    expect([answer.status, answer.headers['content-type'], answer.body === text]).toEqual([200, 'text/plain', true]);
    const id = address.split('/').at(-1);
    expect((await client.send('GET', `/v1/AUTH_test/pastes/${id}`, anonymous)).status).toBe(401);
    expect((await client.get(`pastes/${id}`)).body === text).toBe(true);
  });

  test('runs a text as a script', async () => {
    const address = await paste('print(sum(range(10)))\n');
    const answer = await client.send('GET', `${address}/execute`, anonymous);
    expect([answer.status, answer.body, answer.headers['x-nexe-retcode']]).toEqual([200, '45\n', '0']);
  });

  test('finds a text in all pastes: one node looks into each, another gathers what they found', async () => {
    const twice = await paste('one Needle\nanother needle\n');
    const once = await paste('hay\n  a needle in it\n');
    await paste('only hay\n');
    const answer = await client.send('GET', `${api}?search=needle`, anonymous);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain']);
    expect(answer.body.split('\n')).toEqual([
      `${server.url}${twice}\t2\tone Needle`,
      `${server.url}${once}\t1\ta needle in it`,
      '',
    ]);
    expect(answer.headers['x-nexe-system']).toMatch(/^look-1,look-2,look-3(,look-\d+)*,gather$/);
    const nothing = await client.send('GET', `${api}?search=${encodeURIComponent('nowhere & "never"')}`, anonymous);
    expect([nothing.status, nothing.body]).toEqual([200, '']);
  });

  test('shows its page, and says what is not there', async () => {
    const page = await client.send('GET', api, anonymous);
    expect([page.status, page.headers['content-type'], page.body]).toEqual([
      200,
      'text/html',
      expect.stringContaining('Paste bin'),
    ]);
    expect((await client.send('GET', `${api}/gone`, anonymous)).status).toBe(404);
    expect((await client.send('GET', `${api}/no/such/path`, anonymous)).status).toBe(404);
    expect((await client.send('DELETE', `${api}/gone`, anonymous)).status).toBe(405);
    expect((await client.send('GET', '/open/AUTH_test/pastes/gone', anonymous)).status).toBe(401);
  });
});
