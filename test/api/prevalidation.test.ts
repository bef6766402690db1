import { startServer, type TestServer } from '../support/server';
import { assembleGuest } from '../support/wat';
import { JobClient } from './jobs-support';

describe.each([
  ['one process', false],
  ['two processes', true],
])('%s', (_, split) => {
  let server: TestServer;
  let client: JobClient;
  let program: Buffer;

  beforeAll(async () => {
    server = await startServer({ split, env: { PREVALIDATE: 'yes', MAX_PROGRAM_BYTES: '20000', MAX_SESSIONS: '2' } });
    client = new JobClient(server);
    program = Buffer.from(await assembleGuest('cat'));
    await client.put('bin');
    await client.put('bin/input', 'text');
  });

  afterAll(() => server.close());

  const send = (method: string, name: string, headers: Record<string, string> = {}, body?: string | Buffer) =>
    client.send(method, `${client.account}/bin/${name}`, headers, body);

  /** What a GET and a HEAD say. */
  async function validity(name: string): Promise<unknown> {
    const ask = { 'x-zerovm-valid': 'any' };
    const answers = [await send('GET', name, ask), await send('HEAD', name, ask)];
    expect(answers[0]!.headers['x-zerovm-valid']).toBe(answers[1]!.headers['x-zerovm-valid']);
    expect(Object.keys(answers[0]!.headers).filter((header) => header.includes('sysmeta'))).toEqual([]);
    return answers[0]!.headers['x-zerovm-valid'];
  }

  const validate = { 'x-zerovm-validate': '1' };
  const nexe = { 'content-type': 'application/x-nexe' };

  async function validationOf(name: string) {
    const answer = await client.job([
      {
        name: 'run',
        exec: { path: `swift://~/bin/${name}` },
        devices: [{ name: 'stdin', path: 'swift://~/bin/input' }, { name: 'stdout' }],
      },
    ]);
    expect([answer.status, answer.body]).toEqual([200, 'text']);
    return answer.headers['x-nexe-validation'];
  }

  test.each([
    ['the header', validate],
    ['the content type', nexe],
    ['the content type with parameters', { 'content-type': 'application/x-nexe; charset=x' }],
  ])('a PUT with %s validates the object', async (_, headers) => {
    const answer = await send('PUT', 'cat', headers, program);
    expect([answer.status, answer.headers['x-zerovm-valid']]).toEqual([201, 'true']);
    expect(await validity('cat')).toBe('true');
    expect((await send('GET', 'cat')).headers['x-zerovm-valid']).toBeUndefined();
  });

  test('a POST validates the object that is there, and keeps its new metadata', async () => {
    expect((await send('PUT', 'late', {}, program)).headers['x-zerovm-valid']).toBeUndefined();
    expect(await validity('late')).toBeUndefined();
    const answer = await send('POST', 'late', { ...validate, 'x-object-meta-color': 'red' });
    expect([answer.status, answer.headers['x-zerovm-valid']]).toEqual([202, 'true']);
    expect(await validity('late')).toBe('true');
    expect((await send('HEAD', 'late')).headers['x-object-meta-color']).toBe('red');
    await send('POST', 'late', { 'x-object-meta-color': 'blue' });
    expect(await validity('late')).toBe('true');
  });

  test.each([
    ['is no program', 'no program at all'],
    ['is empty', ''],
    ['is too large', Buffer.alloc(20_001)],
  ])('an object that %s is stored, but not valid', async (_, body) => {
    const answer = await send('PUT', 'bad', validate, body);
    expect([answer.status, answer.headers['x-zerovm-valid']]).toEqual([201, undefined]);
    expect(await validity('bad')).toBeUndefined();
    expect((await send('GET', 'bad')).body.length).toBe(body.length);
  });

  test('overwriting the object clears the mark', async () => {
    await send('PUT', 'cleared', validate, program);
    expect(await validity('cleared')).toBe('true');
    await send('PUT', 'cleared', {}, program);
    expect(await validity('cleared')).toBeUndefined();
  });

  test('a client cannot set the mark', async () => {
    const forged = { 'x-zerovm-valid': 'true', 'x-object-sysmeta-zerovm-valid': 'true' };
    await send('PUT', 'forged', forged, 'x');
    expect(await validity('forged')).toBeUndefined();
  });

  test('jobs do not validate a program that was found valid', async () => {
    await send('PUT', 'known', validate, program);
    await send('PUT', 'unknown', {}, program);
    expect([await validationOf('known'), await validationOf('unknown')]).toEqual(['2', '0']);
  });
});

test('jobs validate every program unless the setting is on', async () => {
  const server = await startServer();
  try {
    const client = new JobClient(server);
    const path = await client.guest('cat');
    await client.send('POST', `${client.account}/bin/cat`, { 'x-zerovm-validate': '1' });
    const answer = await client.job([{ name: 'run', exec: { path }, devices: [{ name: 'stdout' }] }]);
    expect([answer.status, answer.headers['x-nexe-validation']]).toEqual([200, '0']);
  } finally {
    await server.close();
  }
});
