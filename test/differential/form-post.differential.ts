import { createHmac } from 'node:crypto';
import { differential } from './differential';
import type { Exchange } from './exchange';

const key = 'differential key';
const boundary = '----boundary';
const far = '4000000000';

type Fields = Record<string, string>;

function part(headers: string[], body: string): string {
  return `--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n${body}\r\n`;
}

function form(
  path: string,
  fields: Fields,
  files: { name?: string; body?: string; headers?: string[] }[],
  end = true,
): Exchange {
  const all: Fields = { max_file_size: '100', max_file_count: '2', expires: far, ...fields };
  const message = [path, all.redirect ?? '', all.max_file_size, all.max_file_count, all.expires].join('\n');
  all.signature ??= createHmac('sha256', key).update(message).digest('hex');
  const parts = Object.entries(all).map(([name, value]) =>
    part([`Content-Disposition: form-data; name="${name}"`], value),
  );
  for (const { name = 'file', body = 'content', headers = [] } of files) {
    parts.push(part([`Content-Disposition: form-data; name="f"; filename="${name}"`, ...headers], body));
  }
  return {
    method: 'POST',
    path: encodeURI(path),
    user: '',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: parts.join('') + (end ? `--${boundary}--\r\n` : ''),
  };
}

function inLatin1(exchange: Exchange): Exchange {
  return { ...exchange, body: Buffer.from(exchange.body as string, 'latin1') };
}

differential('form post', ({ account, prepare, same }) => {
  const container = `/v1/${account}/forms`;
  const redirect = 'https://example.org/?a=b';
  prepare(() => [
    { method: 'POST', path: `/v1/${account}`, headers: { 'x-account-meta-temp-url-key': key } },
    { method: 'PUT', path: container },
  ]);
  const stored = (name: string): Exchange => ({ path: encodeURI(`${container}/${name}`) });

  same('files are stored', [
    form(container, {}, [{}]),
    stored('file'),
    form(`${container}/`, {}, [{ name: 'a b/ä%1' }]),
    form(`${container}/pre_`, {}, [{ name: 'x' }, { name: 'y', body: '' }]),
    stored('pre_x'),
    stored('pre_y'),
    form(container, {}, [
      { name: 'typed', headers: ['Content-Type: text/x-y; charset=utf-8', 'Content-Encoding: gzip'] },
    ]),
    stored('typed'),
    form(container, { 'content-type': 'a/b', 'Content-Encoding': 'br' }, [
      { name: 'typed', headers: ['Content-Type: c/d'] },
    ]),
    stored('typed'),
    form(container, { x_delete_after: '1000000000' }, [{ name: 'later' }]),
    form(container, { x_delete_at: far }, [{ name: 'later' }]),
    stored('later'),
  ]);

  same('names with backslashes and in latin1', [
    form(container, {}, [{ name: 'C:\\x\\y.txt' }]),
    stored('C:\\x\\y.txt'),
    inLatin1(form(container, {}, [{ name: 'größe' }])),
    stored('größe'),
  ]);
  same('a name of RFC 5987', [form(container, {}, [{ name: 'x"; filename*=UTF-8\'\'%e2%98%81; y="' }]), stored('☁')]);
  same('a name with quotes', [form(container, {}, [{ name: 'a\\"b' }]), stored('a"b')]);
  same('a part whose headers are none', [form(container, {}, [{ headers: ['Bad Header'] }])]);
  same('a part with endless headers', [form(container, {}, [{ headers: [`X-Long: ${'x'.repeat(20_000)}`] }])]);

  same('redirects', [
    { ...form(container, { redirect }, [{}]), ignore: ['content-type', 'body'] },
    { ...form(container, { redirect }, []), ignore: ['content-type', 'body'] },
    { ...form(container, { redirect, max_file_count: '1' }, [{}, {}]), ignore: ['content-type', 'body'] },
    { ...form(container, { redirect: 'https://example.org/' }, [{}]), ignore: ['content-type', 'body'] },
  ]);
  same('the page of a redirect', [form(container, { redirect }, [{}])]);
  same('a redirect that nobody signed', [form(container, { redirect, signature: 'x' }, [])]);

  same('refusals', [
    form(container, {}, []),
    form(container, { max_file_count: '1' }, [{}, {}]),
    form(container, { max_file_count: '0' }, [{}]),
    form(container, { max_file_count: 'x' }, [{}]),
    form(container, { max_file_size: 'x' }, [{}]),
    form(container, { max_file_size: '3' }, [{ name: 'large' }]),
    stored('large'),
    form(container, { expires: '1' }, [{}]),
    form(container, { expires: 'x' }, [{}]),
    form(container, { signature: 'ab'.repeat(32) }, [{}]),
    form(container, { signature: 'x' }, [{}]),
    form(container, { signature: '' }, [{}]),
    form(container, { x_delete_at: 'x' }, [{}]),
    form(container, { x_delete_after: 'x' }, [{}]),
    form(container, { x_delete_at: '1' }, [{}]),
    form(`/v1/${account}/nowhere`, {}, [{}]),
    form(`/v1/${account}`, {}, [{}]),
    form('/v1/AUTH_nobody/c', {}, [{}]),
    form(container, {}, [{ name: 'x'.repeat(1025) }]),
    form(container, {}, [{ name: '' }]),
  ]);

  same('bodies that are no forms', [
    { ...form(container, {}, [{}]), body: 'nonsense' },
    { ...form(container, {}, [{}]), body: '' },
    { ...form(container, {}, [{}]), headers: { 'content-type': 'multipart/form-data' } },
    { ...form(container, {}, [{}]), headers: { 'content-type': 'multipart/mixed; boundary=x' } },
    { ...form(container, {}, [{}]), headers: { 'content-type': `multipart/form-data; boundary="${boundary}"` } },
  ]);
  same('a form without its end', [form(container, {}, [{ name: 'cut' }], false)]);
});
