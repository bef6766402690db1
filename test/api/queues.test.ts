import { startServer, type TestServer } from '../support/server';

interface Message {
  claim_id: string;
  msg_id: string;
  client_id: string;
  data: unknown;
}

let server: TestServer;
let nowMs = Date.now();
let queueCount = 0;

beforeAll(async () => {
  server = await startServer({ now: () => nowMs, env: { MAX_MESSAGE_SIZE: '100', MAX_MESSAGE_LISTING_LIMIT: '5' } });
});

afterAll(() => server.close());

const base = '/queue/AUTH_test';

async function send(method: string, target: string, client?: string, body?: string, user?: string) {
  const headers: Record<string, string> = {};
  if (client !== undefined) headers['client-id'] = client;
  if (user !== undefined) headers['x-auth-token'] = user && (await server.token(user));
  const response = await server.request(base + target, { method, headers, body });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json');
  return { status: response.status, text, json: isJson ? JSON.parse(text) : undefined };
}

async function newQueue(): Promise<string> {
  const name = `/q${++queueCount}`;
  expect((await send('PUT', name)).status).toBe(201);
  return name;
}

async function add(queue: string, data: unknown, client = 'author', query = ''): Promise<Message> {
  const { status, json } = await send('POST', `${queue}/message${query}`, client, JSON.stringify(data));
  expect(status).toBe(201);
  return json;
}

const claim = async (queue: string, client: string, query = ''): Promise<(Message | null)[]> => {
  const { status, json } = await send('POST', `${queue}/claim${query}`, client);
  expect(status).toBe(200);
  return json;
};

const list = async (queue: string, query = '?limit=5', client?: string): Promise<Message[]> =>
  (await send('GET', `${queue}/message${query}`, client)).json;

test('queues are created once, listed with their counts, and deleted when empty', async () => {
  const queue = await newQueue();
  expect((await send('PUT', queue)).status).toBe(202);
  const { claim_id } = await add(queue, 1);
  expect((await send('GET', '')).json).toMatchObject({ [queue.slice(1)]: { message_count: 1 } });
  const refused = await send('DELETE', queue);
  expect([refused.status, refused.text]).toEqual([409, `Failed to delete queue ${queue.slice(1)}`]);
  expect((await send('DELETE', `${queue}/message/${claim_id}`)).status).toBe(204);
  expect((await send('DELETE', queue)).status).toBe(204);
  expect((await send('GET', '')).json).not.toHaveProperty(queue.slice(1));
  expect((await send('DELETE', queue)).status).toBe(404);
});

test('a message is answered as it is listed', async () => {
  const queue = await newQueue();
  const message = await add(queue, { text: 'grüße', list: [1, null] });
  expect(message).toEqual({
    claim_id: expect.stringMatching(/^\d{10}\.\d{5}\/[0-9a-f]{16}\/author\/author$/),
    msg_id: message.claim_id.split('/')[1],
    client_id: 'author',
    data: { text: 'grüße', list: [1, null] },
  });
  expect(await list(queue)).toEqual([message]);
});

test('messages are listed oldest first, one by default, as many as allowed at most', async () => {
  const queue = await newQueue();
  for (let number = 1; number <= 7; number++) await add(queue, number);
  expect((await list(queue, '')).map(({ data }) => data)).toEqual([1]);
  expect((await list(queue, '?limit=3')).map(({ data }) => data)).toEqual([1, 2, 3]);
  expect((await list(queue, '?limit=1000')).map(({ data }) => data)).toEqual([1, 2, 3, 4, 5]);
  expect(await list(queue, '?limit=0')).toEqual([]);
});

test("an author's own messages are hidden from it unless it asks for an echo", async () => {
  const queue = await newQueue();
  await add(queue, 'mine', 'me');
  await add(queue, 'yours', 'you');
  expect((await list(queue, '?limit=5', 'me')).map(({ data }) => data)).toEqual(['yours']);
  expect((await list(queue, '?limit=5&echo=true', 'me')).map(({ data }) => data)).toEqual(['mine', 'yours']);
  expect((await claim(queue, 'me', '?limit=5')).map((message) => message?.data)).toEqual(['yours']);
});

test('a claimed message is nobody else’s until its time has passed', async () => {
  const queue = await newQueue();
  const { msg_id } = await add(queue, 'work');
  const [claimed] = await claim(queue, 'worker', '?ttl=30');
  expect(claimed).toMatchObject({ msg_id, client_id: 'author', data: 'work' });
  expect(claimed!.claim_id).toMatch(/\/author\/worker$/);
  expect([await list(queue), await claim(queue, 'other')]).toEqual([[], []]);
  nowMs += 29_000;
  expect(await claim(queue, 'other')).toEqual([]);
  nowMs += 2000;
  expect(await claim(queue, 'other')).toMatchObject([{ msg_id }]);
});

test('a claim is extended and released by who holds it', async () => {
  const queue = await newQueue();
  await add(queue, 'work');
  const [first] = await claim(queue, 'worker', '?ttl=10');
  const extended = await send('POST', `${queue}/claim/${first!.claim_id}?ttl=50`, 'worker');
  expect(extended.status).toBe(200);
  expect(extended.json.claim_id).not.toBe(first!.claim_id);
  expect((await send('POST', `${queue}/claim/${first!.claim_id}`, 'worker')).status).toBe(404);
  nowMs += 40_000;
  expect(await list(queue)).toEqual([]);
  const stranger = await send('DELETE', `${queue}/claim/${extended.json.claim_id}`, 'thief');
  expect([stranger.status, stranger.text]).toEqual([412, 'Client-Id does not match claim id']);
  expect((await send('DELETE', `${queue}/claim/${extended.json.claim_id}`, 'worker')).status).toBe(204);
  expect((await list(queue)).map(({ data }) => data)).toEqual(['work']);
});

test('a claim takes at most ten messages for at most a minute', async () => {
  const queue = await newQueue();
  for (let number = 0; number < 12; number++) await add(queue, number);
  expect(await claim(queue, 'worker', '?limit=100&ttl=100000')).toHaveLength(10);
  expect(await list(queue)).toHaveLength(2);
  nowMs += 61_000;
  expect(await list(queue)).toHaveLength(5);
});

test('of many clients each message goes to one', async () => {
  const queue = await newQueue();
  for (let number = 0; number < 20; number++) await add(queue, number);
  const taken: unknown[] = [];
  const worker = async (name: string) => {
    for (;;) {
      const messages = await claim(queue, name, '?limit=3');
      if (messages.length === 0) return;
      taken.push(...messages.flatMap((message) => (message ? [message.data] : [])));
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(worker));
  expect(taken.sort((one, other) => Number(one) - Number(other))).toEqual(Array.from({ length: 20 }, (_, i) => i));
  const record = await server.node.findContainer({ account: 'AUTH_test', container: `.queue_${queue.slice(1)}` });
  expect(record!.objectCount).toBe(20);
});

test('a message is gone when its time is over, claimed or not', async () => {
  const queue = await newQueue();
  await add(queue, 'short', 'author', '?ttl=5');
  await add(queue, 'long', 'author', '?ttl=999999999');
  await claim(queue, 'worker', '?ttl=1');
  nowMs += 7000;
  expect((await list(queue)).map(({ data }) => data)).toEqual(['long']);
  expect((await claim(queue, 'worker', '?limit=5')).map((message) => message?.data)).toEqual(['long']);
  nowMs += 3_601_000;
  expect(await list(queue)).toEqual([]);
});

test.each([
  ['a message without Client-Id', 'POST', '/q1x/message', undefined, '1', 412, 'Client-Id header missing'],
  ['a claim without Client-Id', 'POST', '/q1x/claim', undefined, undefined, 412, 'Client-Id header missing'],
  ['a Client-Id with a slash', 'POST', '/q1x/claim', 'a/b', undefined, 412, expect.stringContaining('without slash')],
  ['a message that is no JSON', 'POST', '/q1x/message', 'c', '{', 422, 'Could not load message content as JSON'],
  ['a message too long', 'POST', '/q1x/message', 'c', `"${'x'.repeat(100)}"`, 413, expect.anything()],
  ['a limit that is no number', 'GET', '/q1x/message?limit=ten', 'c', undefined, 412, 'limit must be a number'],
  ['a message for no queue', 'POST', '/none/message', 'c', '1', 404, 'Failed to put message into none'],
  ['a listing of no queue', 'GET', '/none/message', 'c', undefined, 404, expect.anything()],
  ['a claim in no queue', 'POST', '/none/claim', 'c', undefined, 404, expect.anything()],
  ['an unknown message', 'DELETE', '/q1x/message/m', 'c', undefined, 404, 'Failed to delete message m from q1x'],
  ['a queue name too long', 'PUT', `/${'q'.repeat(250)}`, 'c', undefined, 400, expect.stringContaining('Failed')],
  ['another method', 'PATCH', '/q1x', 'c', undefined, 422, expect.anything()],
  ['a queue itself', 'GET', '/q1x', 'c', undefined, 422, expect.anything()],
  ['something else of a queue', 'POST', '/q1x/other', 'c', undefined, 422, expect.anything()],
])('%s is refused', async (_, method, target, client, body, status, text) => {
  await send('PUT', '/q1x');
  const answer = await send(method, target, client, body);
  expect([answer.status, answer.text]).toEqual([status, text]);
});

test('an account is needed', async () => {
  expect((await server.request('/queue/')).status).toBe(412);
});

test("rights are those of the queue's container", async () => {
  const queue = await newQueue();
  await add(queue, 'secret');
  const other = 'test2:tester2';
  const attempts = [
    ['GET', `${queue}/message`],
    ['POST', `${queue}/message`],
    ['POST', `${queue}/claim`],
    ['PUT', '/theirs'],
    ['DELETE', queue],
    ['GET', ''],
  ] as const;
  for (const [method, target] of attempts) {
    expect((await send(method, target, 'c', method === 'POST' ? '1' : undefined, other)).status).toBe(403);
    expect((await send(method, target, 'c', method === 'POST' ? '1' : undefined, '')).status).toBe(401);
  }
  const grant = (headers: Record<string, string>) =>
    server.request(`/v1/AUTH_test/.queue_${queue.slice(1)}`, { method: 'POST', headers });
  await grant({ 'x-container-read': 'test2:tester2' });
  expect((await send('GET', `${queue}/message`, 'c', undefined, other)).json).toMatchObject([{ data: 'secret' }]);
  expect((await send('POST', `${queue}/claim`, 'c', undefined, other)).status).toBe(403);
  await grant({ 'x-container-write': 'test2:tester2' });
  expect((await send('POST', `${queue}/claim`, 'c', undefined, other)).json).toMatchObject([{ data: 'secret' }]);
});

test('what is in a queue but no message is passed over', async () => {
  const queue = await newQueue();
  const put = (name: string, body: string) =>
    server.request(`/v1/AUTH_test/.queue_${queue.slice(1)}/${name}`, { method: 'PUT', body });
  for (const name of ['note', '0000000001.00000/a/b', '0000000001.00000/a/b/c'])
    expect((await put(name, '{')).ok).toBe(true);
  await add(queue, 'real');
  expect((await list(queue)).map(({ data }) => data)).toEqual(['real']);
});

test('queues have the storage policy of the setting; those that are there keep theirs', async () => {
  const other = await startServer({ env: { QUEUE_STORAGE_POLICY: 'relaxed' } });
  try {
    await other.request('/v1/AUTH_test/.queue_old', { method: 'PUT' });
    const statuses: number[] = [];
    for (const name of ['old', 'new', 'new']) {
      statuses.push((await other.request(`${base}/${name}`, { method: 'PUT' })).status);
    }
    expect(statuses).toEqual([202, 201, 202]);
    const policies = ['old', 'new'].map(async (name) => {
      return (await other.node.findContainer({ account: 'AUTH_test', container: `.queue_${name}` }))?.policy;
    });
    expect(await Promise.all(policies)).toEqual([undefined, 'relaxed']);
  } finally {
    await other.close();
  }
});

test('messages keep to the quotas of their container', async () => {
  const queue = await newQueue();
  const headers = { 'x-container-meta-quota-bytes': '10' };
  await server.request(`/v1/AUTH_test/.queue_${queue.slice(1)}`, { method: 'POST', headers });
  const answer = await send('POST', `${queue}/message`, 'author', JSON.stringify('0123456789'));
  expect([answer.status, answer.text]).toEqual([413, 'Upload exceeds quota.']);
  await add(queue, '12345678');
  expect((await send('POST', `${queue}/message`, 'author', '1')).status).toBe(413);
});
