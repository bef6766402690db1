import { type FormField, type FormFile, readParts } from '@zerocloud/proxy/form-post/multipart';

const boundary = '--a-boundary';

interface Part {
  headers: string[];
  body?: string;
}

const field = (name: string, body: string): Part => ({
  headers: [`Content-Disposition: form-data; name="${name}"`],
  body,
});
const file = (name: string, body = '', headers: string[] = []): Part => ({
  headers: [`Content-Disposition: form-data; name="f"; filename="${name}"`, ...headers],
  body,
});

function form(parts: Part[], encoding: BufferEncoding = 'utf8'): Buffer {
  const text = parts
    .map(({ headers, body = '' }) => `--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n`)
    .join('');
  return Buffer.from(`${text}--${boundary}--\r\n`, encoding);
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Seen = FormField | (Omit<FormFile, 'body'> & { body: string });

async function read(bytes: Buffer, size = bytes.length): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const part of readParts(pieces(bytes, size), boundary)) {
    if (!('filename' in part)) {
      seen.push(part);
      continue;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of part.body) chunks.push(chunk);
    seen.push({ ...part, body: Buffer.concat(chunks).toString() });
  }
  return seen;
}

const filesOf = async (parts: Part[], encoding?: BufferEncoding) =>
  (await read(form(parts, encoding))).map((part) => ('filename' in part ? part.filename : part));

test.each([1, 2, 3, 7, 50, 100_000])('each file has its own headers, in pieces of %d bytes', async (size) => {
  const parts = [
    field('a', '1'),
    file('empty', '', ['Content-Type: text/a; x=1']),
    file('none'),
    { headers: ['X-Nothing: y'], body: 'no field and no file' },
    file('both', `--${boundary}\r\n\r\n`, ['CONTENT-TYPE:text/b;\r\n\tx="2"', 'Content-Encoding: gzip ']),
    file('last', 'body', ['X-Content-Type: c/d', 'Content-Type:']),
  ];
  expect(
    await read(form(parts.map((part) => ({ ...part, body: part.body?.replace(boundary, 'else') }))), size),
  ).toEqual([
    { name: 'a', value: '1' },
    { filename: 'empty', contentType: 'text/a; x=1', contentEncoding: undefined, body: '' },
    { filename: 'none', contentType: undefined, contentEncoding: undefined, body: '' },
    { filename: 'both', contentType: 'text/b;\tx="2"', contentEncoding: 'gzip', body: '--else\r\n\r\n' },
    { filename: 'last', contentType: '', contentEncoding: undefined, body: 'body' },
  ]);
});

test('names are UTF-8, or latin1 where they cannot be that', async () => {
  expect(await filesOf([file('größe ☁')])).toEqual(['größe ☁']);
  expect(await filesOf([file('größe')], 'latin1')).toEqual(['größe']);
});

test('names are those of RFC 5987 where a part has one', async () => {
  const disposition = (rest: string): Part => ({ headers: [`Content-Disposition: form-data; name="f"; ${rest}`] });
  expect(
    await filesOf([
      disposition(`filename="plain"; filename*=UTF-8''%e2%98%81%20x`),
      disposition(`filename*=iso-8859-1'de'gr%f6%dfe`),
      disposition(`filename*=UTF-8''%c3%83%c2%bc`),
    ]),
  ).toEqual(['☁ x', 'größe', 'Ã¼']);
});

test('names keep their directories and backslashes', async () => {
  expect(await filesOf([file('../a/b'), file('C:\\x\\y.txt')])).toEqual(['../a/b', 'C:\\x\\y.txt']);
});

test('a part without the name of a file is a field, whatever its type; long values are cut', async () => {
  const headers = ['Content-Disposition: form-data; name="n"', 'Content-Type: application/octet-stream'];
  const parts = [{ headers, body: 'value' }, { headers, body: 'x'.repeat(5000) }, field('long', 'y'.repeat(5000))];
  expect(await read(form([...parts, file('')]))).toEqual([
    { name: 'n', value: 'value' },
    { name: 'n', value: 'x'.repeat(4096) },
    { name: 'long', value: 'y'.repeat(4096) },
    { name: 'f', value: '' },
  ]);
});

test('empty lines may stand before the form, and anything behind it', async () => {
  const bytes = Buffer.concat([Buffer.from('\r\n\r\n'), form([field('a', '1')]), Buffer.from('whatever\r\n')]);
  for (const size of [1, bytes.length]) expect(await read(bytes, size)).toEqual([{ name: 'a', value: '1' }]);
});

test.each([
  ['a header without a colon', ['Bad Header']],
  ['headers of more than 16 KiB', [`X-Long: ${'x'.repeat(20_000)}`]],
])('refuses %s', async (_what, headers) => {
  const bytes = form([file('x', 'body', headers)]);
  for (const size of [100, bytes.length]) await expect(read(bytes, size)).rejects.toThrow('malformed header of a part');
});

test('refuses a form that ends early, wherever it ends', async () => {
  const whole = form([field('a', '1'), file('x', 'body', ['Content-Type: text/plain'])]);
  for (let end = 0; end < whole.length - 4; end++) {
    await expect(read(whole.subarray(0, end))).rejects.toThrow(
      /^(?:invalid starting boundary|unexpected end of the form|malformed header of a part)$/,
    );
  }
});

test('passes on what the body breaks off with', async () => {
  const whole = form([file('x', 'body')]);
  async function* broken() {
    yield whole.subarray(0, -30);
    throw new Error('gone');
  }
  const reading = (async () => {
    for await (const part of readParts(broken(), boundary)) {
      if ('body' in part) for await (const _ of part.body);
    }
  })();
  await expect(reading).rejects.toThrow('gone');
});

test('a boundary that is not ASCII is refused', async () => {
  await expect(readParts(pieces(Buffer.from('x'), 1), 'gr\xf6\xdfe').next()).rejects.toThrow('invalid boundary');
});

test('reads no more of a long file than somebody asks for', async () => {
  let sentBytes = 0;
  async function* endless() {
    yield form([file('x', 'body')]).subarray(0, -20);
    for (; sentBytes < 1 << 26; sentBytes += 65_536) yield Buffer.alloc(65_536);
  }
  const parts = readParts(endless(), boundary);
  const { value } = (await parts.next()) as { value: FormFile };
  for await (const _ of value.body) break;
  expect(sentBytes).toBeLessThan(1 << 20);
  await parts.return(undefined);
});
