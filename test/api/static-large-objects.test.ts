import { createHash } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';

const base = '/v1/AUTH_test';
const md5 = (data: string) => createHash('md5').update(data).digest('hex');
const a = 'a'.repeat(1000);
const b = 'b'.repeat(2000);
const c = 'c'.repeat(300_000);

interface Item {
  path?: string;
  data?: string;
  etag?: string | null;
  size_bytes?: number | string | null;
  range?: string;
}

describe.each([
  ['in one process', false],
  ['with a separate object server', true],
])('static large objects, %s', (_, split) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ split });
    for (const name of ['seg', 'slo', 'to']) await put(name);
    await put('seg/a', a, { 'content-type': 'text/x-a' });
    await put('seg/b', b);
    await put('seg/c', c);
    await put('seg/empty', '');
  });
  afterAll(() => server.close());

  const put = (path: string, body?: string, headers: Record<string, string> = {}) =>
    server.request(`${base}/${path}`, { method: 'PUT', body, headers });
  const putManifest = (path: string, items: unknown, headers: Record<string, string> = {}, query = '') =>
    put(`${path}?multipart-manifest=put${query}`, JSON.stringify(items), headers);
  const get = (path: string, headers: Record<string, string> = {}) => server.request(`${base}/${path}`, { headers });
  const head = (path: string, headers: Record<string, string> = {}) =>
    server.request(`${base}/${path}`, { method: 'HEAD', headers });
  const remove = (path: string, headers: Record<string, string> = {}) =>
    server.request(`${base}/${path}`, { method: 'DELETE', headers });

  const three: Item[] = [
    { path: '/seg/a', etag: md5(a), size_bytes: 1000 },
    { path: 'seg/b', size_bytes: '2000' },
    { path: '/seg/c', etag: null, size_bytes: null },
  ];
  const wholeEtag = md5(md5(a) + md5(b) + md5(c));

  test('a manifest makes one object of many', async () => {
    const created = await putManifest('slo/three', three, {
      'content-type': '',
      'x-object-meta-color': 'blue',
      etag: wholeEtag,
    });
    expect(created.status).toBe(201);
    expect(created.headers.get('etag')).toBe(`"${wholeEtag}"`);
    expect(await created.text()).toBe('');

    const got = await get('slo/three');
    expect(got.status).toBe(200);
    expect(await got.text()).toBe(a + b + c);
    const manifest = await get('slo/three?multipart-manifest=get');
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-length': String(303_000),
      'content-type': 'application/octet-stream',
      etag: `"${wholeEtag}"`,
      'x-manifest-etag': manifest.headers.get('etag'),
      'x-object-meta-color': 'blue',
      'x-static-large-object': 'True',
      'accept-ranges': 'bytes',
    });
    const seen = await head('slo/three');
    for (const name of ['content-length', 'etag', 'x-manifest-etag', 'x-static-large-object', 'content-type']) {
      expect(seen.headers.get(name)).toBe(got.headers.get(name));
    }
    expect([...got.headers.keys(), ...seen.headers.keys()].filter((name) => name.includes('sysmeta'))).toEqual([]);
  });

  test('the manifest can be read, as it is kept and as it could be sent again', async () => {
    const items = [{ data: 'YQ==' }, { path: '/seg/a', range: '1-9' }, { path: '/seg/b' }];
    await putManifest('slo/read', items);
    const kept = await get('slo/read?multipart-manifest=get');
    expect(kept.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(kept.headers.get('x-static-large-object')).toBe('True');
    const text = await kept.text();
    expect(kept.headers.get('etag')).toBe(md5(text));
    expect(JSON.parse(text)).toEqual([
      { data: 'YQ==' },
      {
        name: '/seg/a',
        bytes: 1000,
        hash: md5(a),
        content_type: 'text/x-a',
        last_modified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/),
        range: '1-9',
      },
      expect.objectContaining({ name: '/seg/b', bytes: 2000, hash: md5(b) }),
    ]);
    const raw = await get('slo/read?multipart-manifest=get&format=raw');
    const rawText = await raw.text();
    expect(raw.headers.get('etag')).toBe(md5(rawText));
    expect(raw.headers.get('content-length')).toBe(String(rawText.length));
    expect(rawText).toBe(
      `[{"data": "YQ=="}, {"etag": "${md5(a)}", "path": "/seg/a", "range": "1-9", "size_bytes": 1000}, ` +
        `{"etag": "${md5(b)}", "path": "/seg/b", "size_bytes": 2000}]`,
    );
    expect((await put('slo/again?multipart-manifest=put', rawText)).status).toBe(201);
    expect(await (await get('slo/again')).text()).toBe(`a${a.slice(1, 10)}${b}`);
  });

  test('a listing shows the whole, the container counts the manifest', async () => {
    await put('listed');
    await putManifest('listed/one', three, { 'content-type': 'text/plain' });
    const [entry] = (await (await get('listed?format=json')).json()) as Record<string, unknown>[];
    const manifest = await (await get('listed/one?multipart-manifest=get')).text();
    expect(entry).toMatchObject({
      name: 'one',
      bytes: 303_000,
      hash: md5(manifest),
      slo_etag: `"${wholeEtag}"`,
      content_type: 'text/plain',
    });
    expect((await head('listed')).headers.get('x-container-bytes-used')).toBe(String(manifest.length));
    expect(await (await get('listed?format=xml')).text()).toContain(
      `<hash>${md5(manifest)}</hash><bytes>303000</bytes>`,
    );
  });

  test.each<[string, string]>([
    ['bytes=0-0', 'a'],
    ['bytes=999-1000', 'ab'],
    ['bytes=990-3010', a.slice(990) + b + c.slice(0, 11)],
    ['bytes=2999-', `b${c}`],
    ['bytes=-3', 'ccc'],
    ['bytes=302999-400000', 'c'],
  ])('Range %s crosses segments', async (range, expected) => {
    await putManifest('slo/ranges', three);
    const got = await get('slo/ranges', { range });
    expect(got.status).toBe(206);
    expect(await got.text()).toBe(expected);
    expect(got.headers.get('content-length')).toBe(String(expected.length));
    expect(got.headers.get('content-range')).toMatch(/^bytes \d+-\d+\/303000$/);
    expect(got.headers.get('etag')).toBe(`"${wholeEtag}"`);
  });

  test('several ranges come as multipart/byteranges', async () => {
    await putManifest('slo/multi', three, { 'content-type': 'application/octet-stream' });
    const got = await get('slo/multi', { range: 'bytes=0-1,998-1001,-2' });
    expect(got.status).toBe(206);
    const boundary = /^multipart\/byteranges;boundary=(\w+)$/.exec(got.headers.get('content-type')!)![1];
    const text = await got.text();
    const part = (range: string, data: string) =>
      `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range}/303000\r\n\r\n${data}\r\n`;
    expect(text).toBe(`${part('0-1', 'aa')}${part('998-1001', 'aabb')}${part('302998-302999', 'cc')}--${boundary}--`);
    expect(got.headers.get('content-length')).toBe(String(text.length));
  });

  test('a range behind the end is refused with the length of the whole', async () => {
    await putManifest('slo/416', three);
    const got = await get('slo/416', { range: 'bytes=303000-' });
    expect(got.status).toBe(416);
    expect(got.headers.get('content-range')).toBe('bytes */303000');
  });

  test('conditions are about the etag of the whole', async () => {
    await putManifest('slo/conditions', three);
    const manifestEtag = (await head('slo/conditions')).headers.get('x-manifest-etag')!;
    expect((await get('slo/conditions', { 'if-match': wholeEtag })).status).toBe(200);
    expect((await get('slo/conditions', { 'if-match': `"${wholeEtag}"`, range: 'bytes=0-1' })).status).toBe(206);
    expect((await get('slo/conditions', { 'if-match': manifestEtag })).status).toBe(412);
    const notModified = await get('slo/conditions', { 'if-none-match': wholeEtag, range: 'bytes=0-1' });
    expect(notModified.status).toBe(304);
    expect(notModified.headers.get('etag')).toBe(`"${wholeEtag}"`);
    expect((await head('slo/conditions', { 'if-none-match': wholeEtag })).status).toBe(304);
    expect((await get('slo/conditions', { 'if-none-match': manifestEtag })).status).toBe(200);
    expect((await get('slo/conditions?multipart-manifest=get', { 'if-match': manifestEtag })).status).toBe(200);
    expect((await get('slo/conditions?multipart-manifest=get', { 'if-match': wholeEtag })).status).toBe(412);
    expect((await get('slo/conditions', { 'if-match': wholeEtag, range: 'bytes=999999-' })).status).toBe(416);
  });

  test('part-number gives one segment', async () => {
    await putManifest('slo/parts', three);
    const second = await get('slo/parts?part-number=2');
    expect(second.status).toBe(206);
    expect(await second.text()).toBe(b);
    expect(second.headers.get('content-range')).toBe('bytes 1000-2999/303000');
    expect(second.headers.get('x-parts-count')).toBe('3');
    const seen = await head('slo/parts?part-number=1');
    expect([seen.status, seen.headers.get('content-length')]).toEqual([206, '1000']);
    expect((await get('slo/parts?part-number=4')).status).toBe(416);
    expect((await get('slo/parts?part-number=0')).status).toBe(400);
    expect((await get('slo/parts?part-number=1', { range: 'bytes=0-1' })).status).toBe(400);
  });

  test('segments can be parts of objects, bytes in the manifest, and manifests', async () => {
    await putManifest('slo/inner', [
      { path: 'seg/a', range: '-3' },
      { path: 'seg/b', range: '5-6' },
    ]);
    const accepted = await putManifest('slo/outer', [
      { data: Buffer.from('<<').toString('base64') },
      { path: 'slo/inner', etag: md5(`${md5(a)}:997-999;${md5(b)}:5-6;`), size_bytes: 5 },
      { path: 'slo/inner', range: '2-3' },
      { data: Buffer.from('>').toString('base64') },
      { path: 'seg/empty' },
    ]);
    expect(accepted.status).toBe(201);
    expect(await (await get('slo/outer')).text()).toBe('<<aaabbab>');
    expect(await (await get('slo/outer', { range: 'bytes=4-8' })).text()).toBe('abbab');
    const segments = JSON.parse(await (await get('slo/outer?multipart-manifest=get')).text());
    expect(segments.map((item: { sub_slo?: boolean }) => item.sub_slo)).toEqual([
      undefined,
      true,
      true,
      undefined,
      undefined,
    ]);
  });

  test('manifests in manifests go ten levels deep', async () => {
    await putManifest('slo/level1', [{ path: 'seg/a' }]);
    for (let level = 2; level <= 11; level++)
      await putManifest(`slo/level${level}`, [{ path: `slo/level${level - 1}` }]);
    expect(await (await get('slo/level10')).text()).toBe(a);
    expect((await get('slo/level11')).status).toBe(409);
    expect((await head('slo/level11')).headers.get('content-length')).toBe('1000');
  });

  test('a manifest of nothing is an empty object', async () => {
    expect((await putManifest('slo/nothing', [])).status).toBe(201);
    const got = await get('slo/nothing');
    expect([got.status, got.headers.get('content-length'), await got.text()]).toEqual([200, '0', '']);
  });

  test.each<[string, unknown, string]>([
    ['no JSON', undefined, 'Manifest must be valid JSON.\n'],
    ['no list', {}, 'Manifest must be a list.\n'],
    ['no object', [1], 'Index 0: not a JSON object\n'],
    ['unknown keys', [{ path: 'seg/a', z: 1, b: 2 }], 'Index 0: extraneous keys "b", "z"\n'],
    ['no key', [{}], "Index 0: expected keys to include one of 'data' or 'path'\n"],
    ['a path that is none', [{ path: 5 }], 'Index 0: "path" must be a string\n'],
    ['an etag that is none', [{ path: 'seg/a', etag: 5 }], 'Index 0: "etag" must be a string or null (if provided)\n'],
    [
      'a container',
      [{ path: '/seg/' }],
      'Index 0: path does not refer to an object. Path must be of the form /container/object.\n',
    ],
    ['a size that is none', [{ path: 'seg/a', size_bytes: 'x' }], 'Index 0: invalid size_bytes\n'],
    [
      'an empty segment',
      [{ path: 'seg/a', size_bytes: 0 }, { path: 'seg/a' }],
      'Index 0: too small; each segment must be at least 1 byte.\n',
    ],
    ['itself', [{ path: '/slo/bad' }], 'Index 0: manifest must not include itself as a segment\n'],
    ['a bad range', [{ path: 'seg/a', range: 'x' }], 'Index 0: invalid range\n'],
    ['two ranges', [{ path: 'seg/a', range: '0-1,2-3' }], 'Index 0: multiple ranges (only one allowed)\n'],
    ['a range beyond the size', [{ path: 'seg/a', range: '9-', size_bytes: 5 }], 'Index 0: unsatisfiable range\n'],
    ['bad base64', [{ path: 'seg/a' }, { data: '!' }], 'Index 1: data must be valid base64\n'],
    ['no bytes', [{ path: 'seg/a' }, { data: '' }], 'Index 1: too small; each segment must be at least 1 byte.\n'],
    ['data only', [{ data: 'YQ==' }], 'Inline data segments require at least one object-backed segment.\n'],
    [
      'several faults',
      [1, { path: 'x' }],
      'Index 0: not a JSON object\nIndex 1: path does not refer to an object. Path must be of the form /container/object.\n',
    ],
  ])('refuses %s', async (_, items, text) => {
    const answer = await putManifest('slo/bad', items);
    expect(await answer.text()).toBe(text);
    expect(answer.status).toBe(400);
    expect((await head('slo/bad')).status).toBe(404);
  });

  test('names every segment that is not what the manifest says', async () => {
    const items = [
      { path: '/seg/gone é' },
      { path: '/seg/a', etag: 'x', size_bytes: 5 },
      { path: '/seg/a', range: '1000-' },
      { path: '/seg/empty' },
      { path: '/seg/b' },
    ];
    const text = await putManifest('slo/faulty', items);
    expect([text.status, text.headers.get('content-type')]).toEqual([400, 'text/plain']);
    const problems = [
      ['/seg/gone%20%C3%A9', '404 Not Found'],
      ['/seg/a', 'Size Mismatch'],
      ['/seg/a', 'Etag Mismatch'],
      ['/seg/a', 'Unsatisfiable Range'],
      ['/seg/empty', 'Too small; each segment must be at least 1 byte.'],
    ];
    expect(await text.text()).toBe(`Errors:\n${problems.map((problem) => `${problem.join(', ')}\n`).join('')}`);
    const json = await putManifest('slo/faulty', items, { accept: 'application/json' });
    expect(await json.json()).toEqual({ Errors: problems });
    const xml = await putManifest('slo/faulty', [{ path: 'seg/<&>' }], { accept: 'application/xml' });
    expect(await xml.text()).toBe(
      '<upload>\n<errors>\n<object><name>seg/%3C%26%3E</name><status>404 Not Found</status></object>\n</errors>\n</upload>\n',
    );
  });

  test('a dynamic one whose container is gone is 404, one that is there cannot be read as a segment', async () => {
    await put('slo/no-dynamic', '', { 'x-object-manifest': 'nowhere/p' });
    await put('slo/dynamic', '', { 'x-object-manifest': 'seg/a' });
    expect(await (await putManifest('slo/odd', [{ path: 'slo/no-dynamic' }])).text()).toContain('404 Not Found');
    expect((await putManifest('slo/odd', [{ path: 'slo/dynamic', size_bytes: 1000 }])).status).toBe(201);
    expect((await get('slo/odd')).status).toBe(409);
  });

  test('names that cannot be are 412', async () => {
    const answer = await putManifest('slo/odd', [{ path: 'seg/a\0' }, { path: 'seg/\ud800' }, { path: 'seg/😀' }]);
    expect(await answer.text()).toBe(
      'Errors:\nseg/a%00, 412 Precondition Failed\nseg/%EF%BF%BD, 412 Precondition Failed\n' +
        'seg/%F0%9F%98%80, 404 Not Found\n',
    );
  });

  test('refuses another etag, a copy, too many segments and too long a manifest', async () => {
    expect((await putManifest('slo/no', three, { etag: 'abc' })).status).toBe(422);
    const copy = await put('slo/no?multipart-manifest=put', '', { 'x-copy-from': 'seg/a' });
    expect([copy.status, await copy.text()]).toEqual([405, 'Multipart Manifest PUTs cannot be COPY requests']);
    const many = await putManifest('slo/no', new Array(1001).fill({ path: 'seg/a' }));
    expect([many.status, await many.text()]).toEqual([413, 'Number of object-backed segments must be <= 1000']);
    const long = await putManifest('slo/no', [{ path: `seg/${'a'.repeat(8 * 1024 * 1024)}` }]);
    expect([long.status, await long.text()]).toEqual([413, 'Manifest File > 8388608 bytes']);
    const note = await put('slo/no', 'x', { 'x-static-large-object': 'True' });
    expect(note.status).toBe(400);
    expect(await note.text()).toContain('X-Static-Large-Object is a reserved header.');
    expect((await head('slo/no')).status).toBe(404);
  });

  test('with a heartbeat the outcome is the body', async () => {
    const json = await putManifest('slo/beat', three, { accept: 'application/json' }, '&heartbeat=on');
    expect([json.status, json.headers.get('content-type')]).toEqual([202, 'application/json']);
    const text = await json.text();
    expect(text.startsWith(' \r\n\r\n{')).toBe(true);
    expect(JSON.parse(text)).toEqual({
      'Response Status': '201 Created',
      'Response Body': '',
      Etag: `"${wholeEtag}"`,
      'Last Modified': (await head('slo/beat')).headers.get('last-modified'),
      Errors: [],
    });
    const faulty = await putManifest('slo/beat2', [{ path: 'seg/gone' }], {}, '&heartbeat=on');
    expect(faulty.status).toBe(202);
    expect(await faulty.text()).toBe(
      ' \r\n\r\nResponse Body: Bad Request\nThe server could not comply with the request since it is either malformed or ' +
        'otherwise incorrect.\nResponse Status: 400 Bad Request\nErrors:\nseg/gone, 404 Not Found\n',
    );
    const other = await putManifest('slo/beat3', three, { etag: 'abc', accept: 'application/xml' }, '&heartbeat=on');
    expect(await other.text()).toBe(
      ' \r\n\r\n<upload>\n<response_body>Unprocessable Entity\nUnable to process the contained instructions</response_body>\n' +
        '<response_status>422 Unprocessable Entity</response_status>\n<errors>\n</errors>\n</upload>\n',
    );
    const nowhere = await putManifest('nowhere/beat', three, {}, '&heartbeat=on');
    expect(await nowhere.text()).toContain('Response Status: 404 Not Found');
    expect((await putManifest('slo/beat', {}, {}, '&heartbeat=on')).status).toBe(400);
    expect((await head('slo/beat2')).status).toBe(404);
  });

  test('a PUT needs no right to write where it may not, nor reads what is not for the caller', async () => {
    const stranger = { 'x-auth-token': await server.token('test2:tester2') };
    const denied = await putManifest('slo/theirs', three, stranger);
    expect(await denied.text()).toContain('/seg/a, 403 Forbidden');
    await put('open', undefined, { 'x-container-write': 'test2:tester2', 'x-container-read': 'test2:tester2' });
    await put('open/a', a);
    expect((await putManifest('open/slo', [{ path: 'open/a' }], stranger)).status).toBe(201);
    expect((await putManifest('slo/theirs', [{ path: 'open/a' }], stranger)).status).toBe(403);
    expect((await putManifest('open/slo', [{ path: 'open/a' }, { path: 'seg/a' }])).status).toBe(201);
    const partial = await get('open/slo', { ...stranger, range: 'bytes=0-9' });
    expect([partial.status, await partial.text()]).toEqual([206, a.slice(0, 10)]);
    expect((await get('open/slo', { ...stranger, range: 'bytes=1000-' })).status).toBe(409);
  });

  test('segments that changed: 409 for the first, a broken answer for a later one', async () => {
    await put('seg/x', a);
    await put('seg/y', b);
    await putManifest('slo/changed', [{ path: 'seg/x' }, { path: 'seg/y' }]);
    await put('seg/y', b.replace('b', 'B'));
    const broken = await get('slo/changed');
    expect(broken.status).toBe(200);
    await expect(broken.text()).rejects.toThrow();
    expect(await (await get('slo/changed', { range: 'bytes=0-999' })).text()).toBe(a);
    await remove('seg/x');
    const refused = await get('slo/changed');
    expect(refused.status).toBe(409);
    await refused.text();
    expect((await get('slo/changed', { range: 'bytes=0-1,3-4' })).status).toBe(409);
    expect((await head('slo/changed')).status).toBe(200);
    expect((await get('slo/changed', { 'if-none-match': '*' })).status).toBe(304);
  });

  test('a COPY has the content, with multipart-manifest=get the manifest', async () => {
    await putManifest('slo/source', three, { 'x-object-meta-color': 'red', 'content-type': 'text/x-s' });
    const copy = (query: string, headers: Record<string, string>) =>
      server.request(`${base}/slo/source${query}`, { method: 'COPY', headers });
    const plain = await copy('', { destination: 'to/plain', 'x-object-meta-size': 'xl' });
    expect([plain.status, plain.headers.get('etag')]).toEqual([201, md5(a + b + c)]);
    const got = await get('to/plain');
    expect(await got.text()).toBe(a + b + c);
    expect(Object.fromEntries(got.headers)).toMatchObject({
      'content-type': 'text/x-s',
      'x-object-meta-color': 'red',
      'x-object-meta-size': 'xl',
      etag: md5(a + b + c),
    });
    expect(got.headers.has('x-static-large-object')).toBe(false);
    expect((await copy('', { destination: 'to/slice', range: 'bytes=999-1000' })).status).toBe(201);
    expect(await (await get('to/slice')).text()).toBe('ab');

    const manifest = await copy('?multipart-manifest=get', { destination: 'to/manifest' });
    expect([manifest.status, manifest.headers.get('etag')]).toEqual([201, `"${wholeEtag}"`]);
    expect(manifest.headers.get('x-copied-from')).toBe('slo/source');
    const copied = await head('to/manifest');
    expect(Object.fromEntries(copied.headers)).toMatchObject({
      etag: `"${wholeEtag}"`,
      'x-static-large-object': 'True',
      'x-object-meta-color': 'red',
      'content-type': 'text/x-s',
    });
    const from = { 'x-copy-from': 'slo/source', 'content-length': '0' };
    expect((await put('to/manifest2?multipart-manifest=get', undefined, from)).status).toBe(201);
    expect((await head('to/manifest2')).headers.get('etag')).toBe(`"${wholeEtag}"`);
    const elsewhere = await copy('?multipart-manifest=get', {
      destination: 'to/manifest',
      'destination-account': 'AUTH_test2',
      'x-auth-token': await server.token('admin:admin'),
    });
    expect(elsewhere.status).toBe(400);
    expect(await elsewhere.text()).toContain('/seg/a, 404 Not Found');
    expect((await copy('?multipart-manifest=get', { destination: 'to/manifest', 'if-match': 'x' })).status).toBe(412);
  });

  test('a POST changes metadata and type, and the object stays what it is', async () => {
    await putManifest('slo/post', three, { 'x-object-meta-color': 'red' });
    const headers = { 'x-object-meta-size': 'xl', 'content-type': 'text/x-p' };
    expect((await server.request(`${base}/slo/post`, { method: 'POST', headers })).status).toBe(202);
    const got = await get('slo/post');
    expect(await got.text()).toBe(a + b + c);
    expect(Object.fromEntries(got.headers)).toMatchObject({ ...headers, 'x-static-large-object': 'True' });
    expect(got.headers.has('x-object-meta-color')).toBe(false);
  });

  test('an ordinary PUT and DELETE are about the manifest alone', async () => {
    await putManifest('slo/replaced', three);
    await put('slo/replaced', 'plain');
    const got = await get('slo/replaced');
    expect([await got.text(), got.headers.get('x-static-large-object')]).toEqual(['plain', null]);
    await putManifest('slo/replaced', three);
    expect((await remove('slo/replaced')).status).toBe(204);
    expect((await head('seg/a')).status).toBe(200);
  });

  test('multipart-manifest=delete takes the segments along', async () => {
    for (const name of ['d1', 'd2', 'd3']) await put(`seg/${name}`, name);
    await putManifest('slo/sub', [{ path: 'seg/d1' }, { path: 'seg/d2' }]);
    await putManifest('slo/main', [{ path: 'slo/sub' }, { path: 'seg/d3' }, { path: 'seg/d3' }, { data: 'YQ==' }]);
    const answer = await remove('slo/main?multipart-manifest=delete', { accept: 'application/json' });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      'Response Status': '200 OK',
      'Response Body': '',
      'Number Deleted': 5,
      'Number Not Found': 1,
      Errors: [],
    });
    for (const path of ['seg/d1', 'seg/d2', 'seg/d3', 'slo/sub', 'slo/main'])
      expect((await head(path)).status).toBe(404);

    const again = await remove('slo/main?multipart-manifest=delete', { accept: 'application/json' });
    expect(await again.json()).toMatchObject({
      'Response Status': '200 OK',
      'Number Deleted': 0,
      'Number Not Found': 1,
    });
    await put('slo/plain', 'x');
    const plain = await remove('slo/plain?multipart-manifest=delete', { accept: 'application/json' });
    expect(await plain.json()).toMatchObject({
      'Response Status': '400 Bad Request',
      Errors: [['/slo/plain', 'Not an SLO manifest']],
    });
    expect((await head('slo/plain')).status).toBe(200);
  });

  test('multipart-manifest=delete takes no conditions, which nothing would check', async () => {
    await put('seg/kept', 'kept');
    await putManifest('slo/kept', [{ path: 'seg/kept' }]);
    for (const query of ['', '&async=yes']) {
      const refused = await remove(`slo/kept?multipart-manifest=delete${query}`, { 'if-match': '"other"' });
      expect(refused.status).toBe(501);
    }
    expect(await (await get('slo/kept')).text()).toBe('kept');
  });

  test('async deletion is that of plain segments in one container', async () => {
    for (const name of ['e1', 'e2']) await put(`seg/${name}`, name);
    await put('to/e3', 'e3');
    await putManifest('slo/async', [{ path: 'seg/e1' }, { path: 'seg/e2' }]);
    await putManifest('slo/two', [{ path: 'seg/e1' }, { path: 'to/e3' }]);
    await putManifest('slo/nested', [{ path: 'slo/async' }]);
    const two = await remove('slo/two?multipart-manifest=delete&async=yes');
    expect([two.status, await two.text()]).toEqual([
      400,
      'All segments must be in one container. Found segments in "seg", "to"',
    ]);
    const nested = await remove('slo/nested?multipart-manifest=delete&async=yes');
    expect([nested.status, await nested.text()]).toEqual([400, 'No segments may be large objects.']);
    expect((await remove('slo/async?multipart-manifest=delete&async=yes')).status).toBe(204);
    for (const path of ['seg/e1', 'seg/e2', 'slo/async']) expect((await head(path)).status).toBe(404);
  });

  test('a symlink to a manifest, and symlinks as segments, give the content', async () => {
    await putManifest('slo/linked', [{ path: 'seg/a' }]);
    await put('to/link', undefined, { 'x-symlink-target': 'slo/linked', 'content-length': '0' });
    const got = await get('to/link');
    expect([await got.text(), got.headers.get('etag')]).toEqual([a, `"${md5(md5(a))}"`]);
    await put('to/link-a', undefined, { 'x-symlink-target': 'seg/a', 'content-length': '0' });
    expect(
      (await putManifest('slo/of-links', [{ path: 'to/link-a', size_bytes: 1000 }, { path: 'to/link' }])).status,
    ).toBe(201);
    const whole = await get('slo/of-links');
    expect([await whole.text(), whole.headers.get('content-location')]).toEqual([a + a, null]);
  });
});
