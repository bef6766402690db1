import { startServer, type TestServer } from '../support/server';
import { tarOf } from '../support/tar';
import { JobClient, python } from './jobs-support';

/**
 * Rules of the job service that no other file is about, by the sections of ZeroCloud's behaviour: recognising requests,
 * headers, bodies, opening, descriptions, devices, programs, arguments, outputs, answers. What other files show is not repeated.
 */

let server: TestServer;
let client: JobClient;
let cat: string;
let show: string;

beforeAll(async () => {
  server = await startServer({ env: { CLIENT_TIMEOUT_S: '1', MAX_UPLOAD_TIME_S: '2', MAX_INPUT_BYTES: '200000' } });
  client = new JobClient(server);
  cat = await client.guest('cat');
  show = await client.guest('print-arguments');
  for (const container of ['data', 'apps', '.zvm']) await client.put(container);
  await client.put('data/in', 'input', { 'content-type': 'text/x-in' });
  await client.put('data/other', 'other');
});

afterAll(() => server.close());

const asTar = { 'content-type': 'application/x-tar' };
const asJson = { 'content-type': 'application/json' };
const execute = { 'x-zerovm-execute': '1.0' };

/** Arguments and variables that a program was given, from the output of the guest that prints them. */
function variablesOf(body: string): Record<string, string> {
  const items = body.split('\0').filter((item) => item.includes('='));
  return Object.fromEntries(items.map((item) => [item.slice(0, item.indexOf('=')), item.slice(item.indexOf('=') + 1)]));
}

/** A Python program as an archive, with these devices besides the image. */
function application(code: string, devices: object[] = [{ name: 'stdout' }], more: object = {}): Promise<Buffer> {
  const exec = { path: 'file://python:python', args: 'main.py' };
  const map = JSON.stringify([{ name: 'n', exec, devices: [{ name: 'python' }, ...devices], ...more }]);
  return tarOf({ 'boot/system.map': map, 'main.py': code });
}

describe('1: which requests are jobs', () => {
  test('the header wins over the version of the path', async () => {
    expect((await client.send('GET', '/open/AUTH_test/data/in', execute)).status).toBe(501);
    const answer = await client.send('POST', '/api/AUTH_test', { ...execute, ...asJson }, '[]');
    expect([answer.status, answer.body]).toEqual([400, 'Config parser cannot resolve any job nodes']);
  });

  test.each(['/open/', '/open//data/in', '/api/', '/api//data'])(
    'a path without account is not found: %s',
    async (path) => {
      expect((await client.send('GET', path)).status).toBe(404);
    },
  );

  test('a negative length is refused', async () => {
    const answer = await server.raw(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await server.token()}\r\nX-Zerovm-Execute: 1.0\r\n` +
        'Connection: close\r\nContent-Length: -1\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a path that is no UTF-8 is refused', async () => {
    const answer = await client.send('POST', '/v1/AUTH_test/%ff%fe', execute);
    expect([answer.status, answer.body]).toEqual([412, 'Invalid UTF8']);
  });

  test.each(['GET', 'HEAD', 'PUT', 'DELETE'])('a job submission is a POST: %s is 501, wherever', async (method) => {
    for (const path of ['', '/data', '/data/in']) {
      expect((await client.send(method, `${client.account}${path}`, execute)).status).toBe(501);
    }
  });

  test('a path with an empty container is not found', async () => {
    expect((await client.send('POST', '/v1/AUTH_test//in', execute)).status).toBe(404);
    expect((await client.send('POST', '/v1//data', execute)).status).toBe(404);
  });

  test('a request without the header goes to the store', async () => {
    expect((await client.get('data/in')).body).toBe('input');
  });
});

describe('2: headers', () => {
  const variables = async (headers: Record<string, string>) => {
    const answer = await client.job([{ name: 'n', exec: { path: show }, devices: [{ name: 'stdout' }] }], headers);
    return { answer, variables: variablesOf(answer.body) };
  };

  test('the server chooses time limit, job id and validity; a client cannot', async () => {
    const { variables: seen } = await variables({
      'x-zerovm-timeout': '9999',
      'x-zerocloud-id': 'mine',
      'x-zerovm-valid': 'true',
    });
    expect(seen.HTTP_X_ZEROVM_TIMEOUT).toBe('10');
    expect(seen.HTTP_X_ZEROCLOUD_ID).toMatch(/^[0-9a-f]{16}$/);
    const text = [{ name: 'n', exec: { path: 'swift://~/data/in' } }];
    expect((await client.job(text, { 'x-zerovm-valid': 'true' })).headers['x-nexe-validation']).toBe('1');
  });

  test('programs see no credentials, cookies, types, lengths and none of the server’s own metadata', async () => {
    const token = await server.token();
    const { variables: seen } = await variables({
      'x-storage-token': token,
      cookie: 'a=b',
      'x-account-sysmeta-a': '1',
      'x-container-sysmeta-a': '1',
      'x-object-sysmeta-a': '1',
      'x-backend-a': '1',
      'x-auth-user': 'me',
      'x-own': 'kept',
    });
    const names = Object.keys(seen).filter((name) => name.startsWith('HTTP_') || name.startsWith('CONTENT_'));
    expect(seen.HTTP_X_OWN).toBe('kept');
    expect(names.filter((name) => /AUTH|TOKEN|COOKIE|SYSMETA|BACKEND|CONTENT/.test(name))).toEqual([]);
    expect(Object.values(seen)).not.toContain(token);
  });

  test('X-Storage-Token is as good as X-Auth-Token', async () => {
    const headers = { 'x-auth-token': '', 'x-storage-token': await server.token() };
    const answer = await client.job([{ name: 'n', exec: { path: cat } }], headers);
    expect(answer.status).toBe(200);
  });

  test('the transaction id of the answer is the one that the program sees', async () => {
    const { answer, variables: seen } = await variables({});
    expect(answer.headers['x-trans-id']).toMatch(/^tx[0-9a-f]/);
    expect(seen.HTTP_X_TRANS_ID).toBe(answer.headers['x-trans-id']);
  });

  test('X-Zerovm-Deferred is compared without regard to case', async () => {
    const answer = await client.job([{ name: 'n', exec: { path: cat } }], { 'x-zerovm-deferred': 'ALWAYS' });
    expect(answer.body).toMatch(/^swift:\/\/AUTH_test\/\.zvm\/job-/);
  });

  test('parameters of the content type are ignored', async () => {
    const description = JSON.stringify([{ name: 'n', exec: { path: cat } }]);
    expect((await client.post(description, { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
  });
});

describe('3: bodies', () => {
  const raw = async (lines: string[], body: string) =>
    server.raw(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await server.token()}\r\nX-Zerovm-Execute: 1.0\r\n` +
        `Connection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}`,
    );

  test('a body without content type is a script', async () => {
    const text = python('print("script")');
    expect(await raw([`Content-Length: ${text.length}`], text)).toMatch(/^HTTP\/1\.1 200 .*script\n$/s);
  });

  test.each(['json', 'application', 'text/json'])(
    'only application/json is a description, %s is a script',
    async (type) => {
      const answer = await client.post('[]', { 'content-type': type });
      expect([answer.status, answer.body]).toEqual([400, 'Unsupported Content-Type']);
    },
  );

  test('a script needs a length', async () => {
    const answer = await raw(['Content-Type: text/x-python', 'Transfer-Encoding: chunked'], '0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*Must specify Content-Length$/s);
  });

  test.each([
    ['a description', 'application/json', /^HTTP\/1\.1 408 /],
    ['an archive', 'application/x-tar', /^HTTP\/1\.1 408 /],
    ['a script', 'text/x-python', /^HTTP\/1\.1 408 /],
  ])('%s that stops coming is answered with 408', async (_name, type, answer) => {
    expect(await raw([`Content-Type: ${type}`, 'Content-Length: 100'], '#!')).toMatch(answer);
  });

  test.each([
    ['a description', 'application/json', '['],
    ['an archive', 'application/x-tar', 'x'],
  ])('%s may take only so long as a whole', async (_name, type, byte) => {
    const socket = await server.connect();
    let answer = '';
    socket.on('data', (chunk) => {
      answer += String(chunk);
    });
    socket.write(
      `POST /v1/AUTH_test HTTP/1.1\r\nHost: x\r\nX-Auth-Token: ${await server.token()}\r\nX-Zerovm-Execute: 1.0\r\n` +
        `Content-Type: ${type}\r\nContent-Length: 1000\r\n\r\n`,
    );
    const drip = setInterval(() => socket.writable && socket.write(byte), 200);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('the map of an archive may be longer than a posted description', async () => {
    const padding = ' '.repeat(70_000);
    const map = `${padding}${JSON.stringify([{ name: 'n', exec: { path: cat }, devices: [{ name: 'stdout' }] }])}`;
    expect((await client.post(await tarOf({ 'boot/system.map': map }), asTar)).status).toBe(200);
  });

  test('the archive is every node’s image: its files are in /, and the tar itself is /dev/image', async () => {
    const code = 'print(open("/main.py").read() == open("main.py").read(), open("/dev/image", "rb").read(15))';
    const answer = await client.post(await application(code, [{ name: 'stdout' }], { count: 2 }), asTar);
    expect(answer.body).toBe("True b'boot/system.map'\n".repeat(2));
  });

  test('a guest may change the files of the archive; the next one finds them as they were', async () => {
    const code = 'print(open("/note", "r").read()); open("/note", "w").write("changed"); print(open("/note").read())';
    const map = JSON.stringify([
      {
        name: 'n',
        exec: { path: 'file://python:python', args: 'main.py' },
        count: 2,
        devices: [{ name: 'python' }, { name: 'stdout' }],
      },
    ]);
    const answer = await client.post(
      await tarOf({ 'boot/system.map': map, 'main.py': code, note: 'as posted' }),
      asTar,
    );
    expect(answer.body).toBe('as posted\nchanged\n'.repeat(2));
  });

  test('a script works in the root, where it is the file `script`', async () => {
    const answer = await client.script(
      python('import os, sys; print(os.getcwd(), sys.argv, os.path.exists("/script"))'),
    );
    expect(answer.body).toBe("/ ['script'] True\n");
  });
});

describe('5: opening objects', () => {
  const template = (type: string, text: string) => client.put(`.zvm/${type}/config`, text);
  const open = (name: string, query = '') => client.send('GET', `/open/AUTH_test/${name}${query}`);

  test('every occurrence of a variable is replaced, by its default or nothing where the query is silent', async () => {
    const args = '{.a}-{.a=ignored}-{.b=two words}-{.c}';
    await template(
      'text/x-in',
      `[{"name":"n","exec":{"path":"${show}","args":"${args}"},"devices":[{"name":"stdout","content_type":"text/plain"}]}]`,
    );
    const answer = await open('data/in', '?a=1');
    expect(answer.body.split('\0').slice(0, 3)).toEqual(['n', '1-1-two', 'words-']);
  });

  test('{.object_path} is the URL of the object, whatever the query says', async () => {
    await template(
      'text/x-in',
      `[{"name":"n","exec":{"path":"${show}","args":"{.object_path}"},"devices":[{"name":"stdout"}]}]`,
    );
    const answer = await open('data/in', '?object_path=swift://AUTH_test/data/other');
    expect(answer.body.split('\0')[1]).toBe('swift://AUTH_test/data/in');
  });

  test('the program of a type sees the GET that opened the object', async () => {
    await template('text/x-in', `[{"name":"n","exec":{"path":"${show}"},"devices":[{"name":"stdout"}]}]`);
    expect(variablesOf((await open('data/in', '?q=1')).body)).toMatchObject({
      REQUEST_METHOD: 'GET',
      REQUEST_URI: '/open/AUTH_test/data/in?q=1',
      PATH_INFO: '/AUTH_test/data/in',
      QUERY_STRING: 'q=1',
    });
  });

  test('a plain GET of a program still answers with its bytes', async () => {
    const answer = await client.get('bin/cat');
    expect([answer.status, answer.body.slice(0, 4)]).toEqual([200, '\0asm']);
  });
});

describe('7: URLs', () => {
  test.each(['~', '.'])('%s is the account of the request', async (account) => {
    const devices = [{ name: 'stdin', path: `swift://${account}/data/in` }, { name: 'stdout' }];
    expect((await client.job([{ name: 'n', exec: { path: cat }, devices }])).body).toBe('input');
  });

  test('nothing in a description is percent-decoded', async () => {
    await client.put('data/a%2520b', 'the name has %20 in it');
    const devices = [{ name: 'stdin', path: 'swift://~/data/a%20b' }, { name: 'stdout' }];
    expect((await client.job([{ name: 'n', exec: { path: cat }, devices }])).body).toBe('the name has %20 in it');
  });

  test('names of objects may hold slashes', async () => {
    await client.put('data/deep/er/name', 'deep');
    const devices = [{ name: 'stdin', path: 'swift://~/data/deep/er/name' }, { name: 'stdout' }];
    expect((await client.job([{ name: 'n', exec: { path: cat }, devices }])).body).toBe('deep');
  });
});

describe('8: descriptions', () => {
  test('unknown keys, and types and metadata of inputs, are ignored', async () => {
    const devices = [
      { name: 'stdin', path: 'swift://~/data/in', content_type: 'text/x-other', meta: { a: 'b' }, colour: 'red' },
      { name: 'stdout' },
    ];
    const answer = await client.job([{ name: 'n', exec: { path: cat, nice: 5 }, devices, version: 2 }]);
    expect([answer.status, answer.body, answer.headers['content-type']]).toEqual([200, 'input', 'text/html']);
  });

  test('a group without devices has its nodes', async () => {
    const answer = await client.job([{ name: 'n', exec: { path: cat }, count: 3 }]);
    expect([answer.status, answer.headers['x-nexe-system']]).toEqual([200, 'n-1,n-2,n-3']);
  });
});

describe('9: devices', () => {
  test('standard devices that nobody declared read nothing and swallow everything', async () => {
    const code = [
      'import sys',
      'text = sys.stdin.read()',
      'print("lost"); sys.stderr.write("lost too")',
      'open("/dev/output", "w").write(repr(text))',
    ].join('\n');
    const devices = [{ name: 'output', path: 'swift://~/data/seen' }];
    const answer = await client.post(await application(code, devices), asTar);
    expect([answer.status, answer.body, answer.headers['x-nexe-retcode']]).toEqual([200, '', '0']);
    expect((await client.get('data/seen')).body).toBe("''");
  });

  test('a device has the mode that it declares, `file` by default', async () => {
    const code = [
      'import os, stat',
      'kinds = {stat.S_IFREG: "file", stat.S_IFCHR: "char", stat.S_IFBLK: "block", 0: "pipe"}',
      'for name in ("stdin", "input", "script", "stdout"):',
      '    mode = stat.S_IFMT(os.stat("/dev/" + name).st_mode)',
      '    print(name, kinds.get(mode, oct(mode)))',
    ].join('\n');
    const path = 'swift://~/data/in';
    const devices = [
      { name: 'stdin', path, mode: 'char' },
      { name: 'input', path, mode: 'block' },
      { name: 'script', path },
      { name: 'stdout', mode: 'pipe' },
    ];
    const answer = await client.post(await application(code, devices), asTar);
    expect(answer.body.split('\n').slice(0, 3)).toEqual(['stdin char', 'input block', 'script file']);
    expect(answer.body).not.toContain('stdout file');
  });

  test('one object may be several inputs, and the program as well', async () => {
    const code = 'print(open("/dev/input").read(), open("/dev/stdin").read(), open("/dev/script").read())';
    const path = 'swift://~/data/in';
    const devices = [{ name: 'input', path }, { name: 'stdin', path }, { name: 'script', path }, { name: 'stdout' }];
    expect((await client.post(await application(code, devices), asTar)).body).toBe('input input input\n');
    const own = [{ name: 'stdin', path: cat }, { name: 'stdout' }];
    expect((await client.job([{ name: 'n', exec: { path: cat }, devices: own }])).body.slice(0, 4)).toBe('\0asm');
  });

  test('every guest finds its program as /dev/self, and its configuration as /dev/nvram', async () => {
    const self = await client.guest('cat-self');
    const bytes = (await client.get('bin/cat-self')).body;
    for (let i = 0; i < 2; i++) {
      const answer = await client.job([{ name: 'n', exec: { path: self }, devices: [{ name: 'stdout' }] }]);
      expect(answer.body === bytes).toBe(true);
    }
    const answer = await client.post(await application('print(open("/dev/nvram").read())'), asTar);
    expect(answer.body).toMatch(/^\[args\]\nargs = n main\.py\n\[env\]\n/);
    expect(answer.body).toContain('channel=/dev/image,mountpoint=/,access=ro');
  });

  test.each(['debug', 'db'])('the device %s is refused', async (name) => {
    const answer = await client.job([{ name: 'n', exec: { path: cat }, devices: [{ name, path: 'tcp://host:1' }] }]);
    expect([answer.status, answer.body]).toEqual([501, `Device ${name} is not supported`]);
  });

  test('without local object there are no LOCAL_ variables', async () => {
    const answer = await client.job([{ name: 'n', exec: { path: show }, devices: [{ name: 'stdout' }] }]);
    expect(Object.keys(variablesOf(answer.body)).filter((name) => name.startsWith('LOCAL'))).toEqual([]);
  });

  test('a local output tells its type and metadata, and that it has no length', async () => {
    const devices = [
      { name: 'stdout', path: 'swift://~/data/local', content_type: 'text/x-local', meta: { Colour: 'red' } },
    ];
    expect((await client.job([{ name: 'n', exec: { path: show }, devices }])).status).toBe(200);
    const seen = variablesOf((await client.get('data/local')).body);
    expect(
      Object.entries(seen)
        .filter(([name]) => name.startsWith('LOCAL'))
        .sort(),
    ).toEqual([
      ['LOCAL_CONTENT_TYPE', 'text/x-local'],
      ['LOCAL_DOCUMENT_ROOT', '/dev/stdout'],
      ['LOCAL_HTTP_X_OBJECT_META_COLOUR', 'red'],
      ['LOCAL_OBJECT', 'on'],
      ['LOCAL_PATH_INFO', '/AUTH_test/data/local'],
    ]);
  });
});

describe('10: wildcards', () => {
  const nodes = async (path: string) => {
    const answer = await client.job([
      { name: 'n', exec: { path: cat }, count: 7, devices: [{ name: 'stdin', path }, { name: 'stdout' }] },
    ]);
    return [answer.headers['x-nexe-system'], answer.body];
  };

  test('one match gives one node with a number, and `count` does not matter', async () => {
    expect(await nodes('swift://~/data/i*')).toEqual(['n-1', 'input']);
  });

  test('a star matches slashes; names that end in one are skipped; the whole name must match', async () => {
    await client.put('many');
    for (const name of ['a.txt', 'a.txt.bak', 'd/', 'd/b.txt']) await client.put(`many/${name}`, `${name} `);
    expect(await nodes('swift://~/many/*.txt')).toEqual(['n-1,n-2', 'a.txt d/b.txt ']);
    expect(await nodes('swift://~/many/*')).toEqual(['n-1,n-2,n-3', 'a.txt a.txt.bak d/b.txt ']);
  });

  test('a star in the container matches the registry as well', async () => {
    await client.put('.zvm/marker', 'registry');
    expect(await nodes('swift://~/.z*/marker')).toEqual(['n-1', 'registry']);
  });

  test('the order of devices does not matter', async () => {
    const wild = { name: 'stdin', path: 'swift://~/many/*.txt' };
    const plain = { name: 'input', path: 'swift://~/data/in' };
    for (const devices of [
      [wild, plain],
      [plain, wild],
    ]) {
      const answer = await client.job([{ name: 'n', exec: { path: cat }, devices: [...devices, { name: 'stdout' }] }]);
      expect([answer.headers['x-nexe-system'], answer.body]).toEqual(['n-1,n-2', 'a.txt d/b.txt ']);
    }
  });
});

describe('13: arguments and environment', () => {
  test('variables of the request win over those of the description', async () => {
    const env = { REQUEST_METHOD: 'MINE', HTTP_HOST: 'mine', HTTP_X_NOT_SENT: 'kept', LOCAL_OBJECT: 'off' };
    const answer = await client.job([{ name: 'n', exec: { path: show, env }, devices: [{ name: 'stdout' }] }]);
    const seen = variablesOf(answer.body);
    expect([seen.REQUEST_METHOD, seen.HTTP_X_NOT_SENT]).toEqual(['POST', 'kept']);
    expect(seen.HTTP_HOST).not.toBe('mine');
  });

  test('the query is absent when it is empty, and the port is 80 when nobody names one', async () => {
    const answer = await server.raw(
      `POST /v1/AUTH_test? HTTP/1.1\r\nHost: store.example\r\nX-Auth-Token: ${await server.token()}\r\n` +
        'X-Zerovm-Execute: 1.0\r\nConnection: close\r\nContent-Type: application/json\r\n' +
        ((body) => `Content-Length: ${body.length}\r\n\r\n${body}`)(
          JSON.stringify([{ name: 'n', exec: { path: show }, devices: [{ name: 'stdout' }] }]),
        ),
    );
    const seen = variablesOf(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(seen).toMatchObject({ SERVER_NAME: 'store.example', SERVER_PORT: '80' });
    expect(seen).not.toHaveProperty('QUERY_STRING');
  });

  test('values are UTF-8', async () => {
    const exec = { path: show, args: 'grüße', env: { NAME: '日本' } };
    const answer = await client.job([{ name: 'n', exec, devices: [{ name: 'stdout' }] }]);
    expect(answer.body.split('\0')[1]).toBe('grüße');
    expect(variablesOf(answer.body).NAME).toBe('日本');
  });

  test('files of many kilobytes may be passed as variables', async () => {
    const text = 'line\n'.repeat(8000);
    const exec = { path: show, env: { FILE: text } };
    const answer = await client.job([{ name: 'n', exec, devices: [{ name: 'stdout' }] }]);
    expect(variablesOf(answer.body).FILE).toBe(text);
  });
});

describe('14: outputs', () => {
  const both = async (code: string, devices: object[]) => client.post(await application(code, devices), asTar);
  const write = 'import sys; sys.stdout.write("out"); sys.stderr.write("err")';

  test('of two outputs without path the first declared is the answer', async () => {
    expect((await both(write, [{ name: 'stdout' }, { name: 'stderr' }])).body).toBe('out');
    const other = await both(write, [{ name: 'stderr', content_type: 'text/x-err' }, { name: 'stdout' }]);
    expect([other.body, other.headers['content-type'], other.headers['x-zerovm-device']]).toEqual([
      'err',
      'text/x-err',
      'stderr',
    ]);
  });

  test('unless it is smaller than its min_size', async () => {
    expect((await both(write, [{ name: 'stdout', min_size: 4 }, { name: 'stderr' }])).body).toBe('err');
  });

  test('outputs are stored also when the program ends with an error of its own', async () => {
    const code = 'import sys; print("kept"); sys.exit(9)';
    const answer = await both(code, [{ name: 'stdout', path: 'swift://~/data/failed' }]);
    expect([answer.status, answer.headers['x-nexe-retcode'], answer.headers['x-nexe-status']]).toEqual([
      200,
      '9',
      'ok',
    ]);
    expect((await client.get('data/failed')).body).toBe('kept\n');
  });

  test('stored outputs carry the time of the request, not of the end of the program', async () => {
    const answer = await both('import time; time.sleep(0.3); print("done")', [
      { name: 'stdout', path: 'swift://~/data/timed' },
    ]);
    const stored = await client.get('data/timed');
    const afterwards = Number(answer.headers['x-timestamp']) - Number(stored.headers['x-timestamp']);
    expect(afterwards).toBeGreaterThan(0.25);
  });

  test('checksums are of returned outputs and the local output', async () => {
    const devices = [
      { name: 'stdin', path: 'swift://~/data/in' },
      { name: 'stdout' },
      { name: 'stderr', path: 'swift://~/data/stderr' },
    ];
    const returned = await client.job([{ name: 'n', exec: { path: cat }, devices }]);
    expect(returned.headers['x-nexe-etag']).toMatch(/^\/dev\/stdout [0-9a-f]{32}$/);
    const local = [{ name: 'stdout', path: 'swift://~/data/local' }];
    const stored = await client.job([{ name: 'n', exec: { path: cat }, devices: local }]);
    expect(stored.headers['x-nexe-etag']).toBe('/dev/stdout d41d8cd98f00b204e9800998ecf8427e');
  });
});

describe('15: the answer', () => {
  test('a job that returns nothing is answered with an empty text/html', async () => {
    const answer = await client.job([{ name: 'n', exec: { path: cat } }]);
    expect([answer.status, answer.body, answer.headers['content-type'], answer.headers['content-length']]).toEqual([
      200,
      '',
      'text/html',
      '0',
    ]);
    expect(answer.headers['x-zerovm-device']).toBeUndefined();
  });

  test('the type is that of the first node that returned data', async () => {
    const node = (name: string, input: string | undefined, type: string) => ({
      name,
      exec: { path: cat },
      devices: [...(input ? [{ name: 'stdin', path: input }] : []), { name: 'stdout', content_type: type }],
    });
    const answer = await client.job([
      node('a', undefined, 'text/x-a'),
      node('b', 'swift://~/data/in', 'text/x-b'),
      node('c', 'swift://~/data/other', 'text/x-c'),
    ]);
    expect([answer.body, answer.headers['content-type']]).toEqual(['inputother', 'text/x-b']);
  });
});

test('15: the policy of a node is that of its local object, else that of what has none', async () => {
  await client.put('relaxed', '', { 'x-storage-policy': 'relaxed' });
  await client.put('relaxed/in', 'relaxed');
  const node = (name: string, devices: object[]) => ({ name, exec: { path: cat }, devices });
  const answer = await client.job([
    node('a', [{ name: 'stdin', path: 'swift://~/relaxed/in' }]),
    node('b', [{ name: 'stdin', path: 'swift://~/data/in' }]),
    node('c', [{ name: 'stdout', path: 'swift://~/relaxed/out' }]),
    node('d', [
      { name: 'stdin', path: 'swift://~/data/in' },
      { name: 'stdout', path: 'swift://~/relaxed/out' },
    ]),
    node('e', []),
  ]);
  expect([answer.status, answer.headers['x-nexe-policy']]).toEqual([200, 'relaxed,Policy-0,relaxed,Policy-0,Policy-0']);
  const none = await client.job([node('n', [{ name: 'stdin', path: 'swift://~/data/gone' }])]);
  expect(none.headers['x-nexe-policy']).toBe('');
});

describe('16: errors', () => {
  beforeAll(async () => {
    await client.put('data/large', 'x'.repeat(150_000));
    await client.put('data/larger', 'x'.repeat(200_001));
  });

  test('a local input beyond the limit is refused', async () => {
    const devices = [{ name: 'stdin', path: 'swift://~/data/larger' }];
    const answer = await client.job([{ name: 'n', exec: { path: cat }, devices }]);
    expect([answer.status, answer.body]).toEqual([413, 'Data object too large']);
  });

  test('so are the other inputs when they are too large together', async () => {
    const devices = [
      { name: 'input-a', path: 'swift://~/data/large' },
      { name: 'input-b', path: 'swift://~/data/large' },
      { name: 'stdin', path: 'swift://~/data/in' },
    ];
    const answer = await client.job([{ name: 'n', exec: { path: cat }, devices }]);
    expect([answer.status, answer.body]).toEqual([413, 'RPC request too large']);
  });

  test('a container cannot be a program', async () => {
    const answer = await client.job([{ name: 'n', exec: { path: 'swift://~/bin' } }]);
    expect([answer.status, answer.body]).toEqual([
      400,
      'Cannot use container /AUTH_test/bin as a remote object reference',
    ]);
  });
});
