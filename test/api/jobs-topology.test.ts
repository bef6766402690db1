import { python, useJobs } from './jobs-support';

/** Section 11 of ZeroCloud's manuals: nodes that are joined while they run. */

const script = { path: 'file://python:python' };
/** A program in an environment variable: the image of every node is the same, so it holds none of them. */
const runner = { ...script, args: String.raw`-c "import\x20os;exec(os.environ['CODE'])"` };

const jobs = useJobs({ env: { SESSION_TIMEOUT_S: '5', SESSION_MEMORY_BYTES: String(128 * 1024 ** 2) } });

beforeAll(async () => {
  await jobs.put('data');
  for (let i = 1; i <= 3; i++) await jobs.put(`data/in${i}.txt`, `text ${i}\n`);
});

interface Changes {
  [key: string]: unknown;
  devices?: unknown[];
}

const stdout = { name: 'stdout', content_type: 'text/plain' };

/** A group of nodes that run a piece of Python. */
function group(name: string, code: string, { devices = [stdout], ...changes }: Changes = {}) {
  return { name, exec: { ...runner, env: { CODE: code } }, devices, ...changes };
}

const listPeers = `
import os
print(os.environ['SCRIPT_NAME'], *(sorted(os.listdir(d)) if os.path.isdir(d) else None for d in ('/dev/in', '/dev/out')))`;

const sendName = `
import os
for peer in os.listdir('/dev/out'):
    with open('/dev/out/' + peer, 'w') as pipe: pipe.write(os.environ['SCRIPT_NAME'] + ' to ' + peer + '\\n')`;

const readAll = `
import os
for peer in sorted(os.listdir('/dev/in')): print(open('/dev/in/' + peer).read(), end='')`;

const ok = (count: number) => Array(count).fill('ok').join(',');

describe('connect', () => {
  test('joins every node of a group to every node of another, by names with the number of the node', async () => {
    const answer = await jobs.job([
      group('map', listPeers, { count: 3, connect: ['reduce'] }),
      group('reduce', listPeers),
    ]);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-nexe-status': ok(4) } });
    expect(answer.body.split('\n')).toEqual([
      "map-1 None ['reduce']",
      "map-2 None ['reduce']",
      "map-3 None ['reduce']",
      "reduce ['map-1', 'map-2', 'map-3'] None",
      '',
    ]);
  });

  test('passes what one node writes to the other, in both of many groups', async () => {
    const answer = await jobs.job([
      group('map', sendName, { count: 2, connect: ['sum', 'log'], devices: [] }),
      group('sum', readAll, { count: 2 }),
      group('log', readAll),
    ]);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-nexe-status': ok(5) } });
    expect(answer.body).toBe(
      ['sum-1', 'sum-2', 'log'].flatMap((to) => [`map-1 to ${to}\n`, `map-2 to ${to}\n`]).join(''),
    );
  });

  test('of a group to itself joins each of its nodes to all others, and none to itself', async () => {
    const answer = await jobs.job([group('node', `${sendName}\n${readAll}`, { count: 4, connect: ['node'] })]);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-nexe-status': ok(4) } });
    const names = [1, 2, 3, 4].map((number) => `node-${number}`);
    expect(answer.body).toBe(
      names.flatMap((to) => names.filter((from) => from !== to).map((from) => `${from} to ${to}\n`)).join(''),
    );
  });

  test('joins the nodes of a wildcard, also when it matched one object', async () => {
    const input = (path: string) => ({ name: 'stdin', path: `swift://~/data/${path}` });
    const answer = await jobs.job([
      group('all', sendName, { connect: ['reduce'], devices: [input('in*.txt')] }),
      group('one', sendName, { connect: ['reduce'], devices: [input('in2*')] }),
      group('reduce', readAll),
    ]);
    expect(answer).toMatchObject({ status: 200, headers: { 'x-nexe-system': 'all-1,all-2,all-3,one-1,reduce' } });
    const senders = ['all-1', 'all-2', 'all-3', 'one-1'];
    expect(answer.body).toBe(senders.map((from) => `${from} to reduce\n`).join(''));
  });

  test('leaves groups without devices their nodes', async () => {
    const answer = await jobs.job([
      { name: 'map', exec: { ...runner, env: { CODE: sendName } }, count: 2, connect: ['reduce'] },
      { name: 'reduce', exec: { ...runner, env: { CODE: readAll } }, devices: [stdout] },
    ]);
    expect(answer).toMatchObject({ status: 200, body: 'map-1 to reduce\nmap-2 to reduce\n' });
  });

  test('shows the transfers as network in the accounting line', async () => {
    const answer = await jobs.job([group('a', sendName, { connect: ['b'], devices: [] }), group('b', readAll)]);
    const lines = String(answer.headers['x-nexe-cdr-line'])
      .split(',')
      .map((part) => part.trim().split(' '));
    expect([lines[2]!.slice(-4), lines[4]!.slice(-4)]).toEqual([
      ['0', '0', '1', '7'],
      [expect.any(String), '7', '0', '0'],
    ]);
  });

  test('works over stored outputs: the answer is the object that the last node became', async () => {
    const answer = await jobs.job([
      group('a', sendName, { connect: ['b'], devices: [] }),
      group('b', readAll, { devices: [{ name: 'stdout', path: 'swift://~/data/result', content_type: 'text/x-sum' }] }),
    ]);
    expect(answer).toMatchObject({ status: 200, body: '' });
    expect(await jobs.get('data/result')).toMatchObject({
      body: 'a to b\n',
      headers: { 'content-type': 'text/x-sum' },
    });
  });
});

describe('zvm:// paths', () => {
  const shout = 'import sys\nsys.stdout.write(sys.stdin.read().upper())';
  const to = (path: string, name = 'stdout') => ({ name, path });

  test('join a device to a device: a pipeline of standard output and input', async () => {
    const answer = await jobs.job([
      group('first', 'print("one two")', { devices: [to('zvm://second:/dev/stdin')] }),
      group('second', shout, { devices: [to('zvm://third:stdin')] }),
      group('third', 'import sys\nprint(sys.stdin.read().split())'),
    ]);
    expect(answer).toMatchObject({ status: 200, body: "['ONE', 'TWO']\n", headers: { 'x-nexe-status': ok(3) } });
  });

  test('name any device of the other node, with the texts of the wildcard for stars', async () => {
    const input = { name: 'stdin', path: 'swift://~/data/in*.txt' };
    const answer = await jobs.job([
      group('map', shout, { devices: [input, to('zvm://reduce:from/*')] }),
      group(
        'reduce',
        'import os\nfor name in sorted(os.listdir("/dev/from")): print(name, open("/dev/from/"+name).read(), end="")',
      ),
    ]);
    expect(answer).toMatchObject({ status: 200, body: '1 TEXT 1\n2 TEXT 2\n3 TEXT 3\n' });
  });

  test('take the place of the pair of that group; other groups of connect keep theirs', async () => {
    const code = `print("plain")\nimport os\nprint(os.listdir("/dev/out"))\nopen("/dev/out/c", "w").write("to c")`;
    const answer = await jobs.job([
      group('a', code, { connect: ['b', 'c'], devices: [to('zvm://b:stdin')] }),
      group('b', shout),
      group('c', readAll),
    ]);
    expect(answer).toMatchObject({ status: 200, body: "PLAIN\n['C']\nto c" });
  });

  test.each<[string, unknown[], string]>([
    [
      'one device to several nodes',
      [group('a', '', { devices: [to('zvm://b:stdin')] }), group('b', '', { count: 2 })],
      'Device stdout of a is connected to several nodes',
    ],
    [
      'several nodes to one device',
      [group('a', '', { count: 2, devices: [to('zvm://b:stdin')] }), group('b', '')],
      'Device stdin of b is connected to several nodes',
    ],
    [
      'a device that has another content',
      [
        group('a', '', { devices: [to('zvm://b:stdin')] }),
        group('b', '', { devices: [{ name: 'stdin', path: 'swift://~/data/in1.txt' }] }),
      ],
      'Duplicate device name: stdin in b',
    ],
    [
      'a device that is an end already',
      [group('a', '', { devices: [to('zvm://b:stdout')] }), group('b', '', { devices: [to('zvm://a:stdin')] })],
      'Duplicate device name: stdout in b',
    ],
    ['no device at all', [group('a', '', { devices: [to('zvm://b')] }), group('b', '')], 'Bad device name:  in b'],
    [
      'a device outside of /dev',
      [group('a', '', { devices: [to('zvm://b:../tmp/x')] }), group('b', '')],
      'Bad device name: ../tmp/x in b',
    ],
    ['an unknown node', [group('a', '', { devices: [to('zvm://x:stdin')] })], 'Non-existing node in connect x'],
    ['itself', [group('a', '', { devices: [to('zvm://a:stdin')] })], 'Cannot bind to itself: a'],
    [
      'stars that nothing fills',
      [group('a', '', { devices: [to('zvm://b:*')] }), group('b', '')],
      'Cannot resolve wildcard for node a',
    ],
    [
      'a readable device',
      [group('a', '', { devices: [{ name: 'stdin', path: 'zvm://b:stdout' }] }), group('b', '')],
      'Readable device must be a swift object',
    ],
  ])('are refused with %s', async (_, description, sentence) => {
    expect(await jobs.job(description)).toMatchObject({ status: 400, body: expect.stringContaining(sentence) });
  });
});

test.each<[string, unknown[], string]>([
  ['an unknown group', [group('a', '', { connect: ['b'] })], 'Non-existing node in connect b'],
  [
    'a node of a group',
    [group('a', '', { connect: ['b-1'] }), group('b', '', { count: 2 })],
    'Non-existing node in connect b-1',
  ],
  ['a single node to itself', [group('a', '', { connect: ['a'] })], 'Cannot bind to itself: a'],
  [
    'a group twice',
    [group('a', '', { connect: ['b', 'b'] }), group('b', '')],
    'Duplicate node in connect b for node a',
  ],
  ['a name that is no name of a file', [group('a/b', '', { connect: ['c'] }), group('c', '')], 'Invalid node name'],
])('connect is refused with %s', async (_, description, sentence) => {
  expect(await jobs.job(description)).toMatchObject({ status: 400, body: expect.stringContaining(sentence) });
});

describe('replicate', () => {
  test.each([
    [0, 'a'],
    [1, 'a'],
    [2, 'a,a'],
    [3, 'a,a,a'],
  ])(
    '%d: the items of a node stand as often, one beside the other; its output comes once',
    async (replicate, names) => {
      const answer = await jobs.job([group('a', 'print("once")', { replicate })]);
      expect(answer).toMatchObject({ status: 200, body: 'once\n', headers: { 'x-nexe-system': names } });
      const items = names.split(',').length;
      expect(answer.headers['x-nexe-status']).toBe(ok(items));
      expect(String(answer.headers['x-nexe-cdr-line']).split(', ')).toHaveLength(1 + items + 1);
    },
  );

  test('holds for all nodes of a group', async () => {
    const answer = await jobs.job([
      group('sort', sendName, { count: 2, replicate: 2, connect: ['end'], devices: [] }),
      group('end', readAll),
    ]);
    expect(answer.headers['x-nexe-system']).toBe('sort-1,sort-1,sort-2,sort-2,end');
    expect(answer.body).toBe('sort-1 to end\nsort-2 to end\n');
  });

  test('of more than ZeroCloud had is refused', async () => {
    expect(await jobs.job([group('a', '', { replicate: 4 })])).toMatchObject({
      status: 400,
      body: expect.stringContaining('Invalid replicate: 4'),
    });
  });
});

describe('location and attach', () => {
  test('put the first node of a place first in the answer, and connect as before', async () => {
    const answer = await jobs.job([
      group('a', sendName, { connect: ['b'], devices: [] }),
      group('b', readAll, { location: 'here' }),
    ]);
    expect(answer).toMatchObject({ status: 200, body: 'a to b\n', headers: { 'x-nexe-system': 'b,a' } });
  });

  test('choose the local object of a connected node; a connected device is none', async () => {
    const print = 'import os\nprint(os.environ.get("LOCAL_PATH_INFO"))';
    const output = (path: string, name = 'stdout') => ({ name, path });
    const local = await jobs.job([
      group('a', 'pass', { connect: ['b'], devices: [output('zvm://b:stdin')] }),
      group('b', print, {
        attach: 'input',
        devices: [stdout, { name: 'input', path: 'swift://~/data/in1.txt' }],
      }),
    ]);
    expect(local.body).toBe('/AUTH_test/data/in1.txt\n');
    const next = await jobs.job([
      group('a', 'import os,sys\nprint(os.environ["LOCAL_PATH_INFO"])', {
        devices: [output('zvm://b:stdin'), output('swift://~/data/err', 'stderr')],
      }),
      group('b', 'import sys\nprint(sys.stdin.read(), end="")'),
    ]);
    expect(next.body).toBe('/AUTH_test/data/err\n');
  });
});

describe('a node that dies', () => {
  test('ends its pipes: readers get what was written and the end', async () => {
    const die = `${sendName}\nimport os\nos.abort()`;
    const answer = await jobs.job([group('a', die, { connect: ['b'], devices: [] }), group('b', readAll)]);
    expect(answer).toMatchObject({ status: 500, body: 'a to b\n', headers: { 'x-nexe-error': 'bad return code' } });
    expect(String(answer.headers['x-nexe-status'])).toMatch(/^trap.*,ok$|^.*untrusted.*,ok$/);
  });

  test('breaks the pipes to it: writers get an error and may go on', async () => {
    const flood = `
import sys
try:
    with open('/dev/out/b', 'wb', buffering=0) as pipe:
        while True: pipe.write(b'x' * 65536)
except BrokenPipeError as error: print(type(error).__name__)`;
    const answer = await jobs.job([
      group('a', flood, { connect: ['b'] }),
      group('b', 'import os\nos._exit(3)', { devices: [] }),
    ]);
    expect(answer).toMatchObject({ status: 200, body: 'BrokenPipeError\n', headers: { 'x-nexe-retcode': '0,3' } });
  });

  test('by timeout ends all that wait for each other, within the time of one', async () => {
    const wait = `open('/dev/in/' + ('b' if __import__('os').environ['SCRIPT_NAME'] == 'a' else 'a')).read()`;
    const startedAt = Date.now();
    const answer = await jobs.job([group('a', wait, { connect: ['b'] }), group('b', wait, { connect: ['a'] })]);
    expect(answer.status).toBe(500);
    expect(answer.headers['x-nexe-status']).toContain('session timeout');
    expect(Date.now() - startedAt).toBeLessThan(9_000);
  });
});

test('a script is still one node, which sees no pipes', async () => {
  expect(await jobs.script(python('import os\nprint(os.path.exists("/dev/in"))'))).toMatchObject({
    status: 200,
    body: 'False\n',
  });
});
