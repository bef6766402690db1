import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { tarHeader } from '@zerocloud/proxy/jobs/archive';
import { differential } from './differential';
import type { Exchange } from './exchange';

/** A tar of these files, in the oldest form there is. */
function tar(...files: [name: string, data: string][]): Buffer {
  const parts = files.flatMap(([name, data]) => {
    const padding = Buffer.alloc((512 - (Buffer.byteLength(data) % 512)) % 512);
    return [tarHeader(name, Buffer.byteLength(data)), Buffer.from(data), padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** The same with a record of an extended header before its one file. */
function withPax(records: Record<string, string>, name: string, data: string): Buffer {
  const body = Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      const bytes = Buffer.byteLength(rest);
      const length = bytes + String(bytes + String(bytes).length).length;
      return `${length}${rest}`;
    })
    .join('');
  const header = tarHeader('pax', Buffer.byteLength(body));
  header.write('x', 156);
  header.write('        ', 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padded = Buffer.alloc(Math.ceil(Buffer.byteLength(body) / 512) * 512);
  padded.write(body);
  return Buffer.concat([header, padded, tar([name, data])]);
}

const good = tar(['c1/a', 'aaa'], ['./c1/d/b', 'bb'], ['/c2/x', ''], ['top', 'zz']);
const severalStreams = readFileSync(path.join(__dirname, '../support/files-f0-f29.tar.bz2'));
/** Files `one` and `two`. */
const bzipped = Buffer.from(
  'QlpoOTFBWSZTWcJfalIAAI5/iMmAEABAAHeABAAAAmIBnoAAAIgIIAByElQMgxNGhpp6gVKImR6npDTQDTf9t5sYyRfKAu9OixnldVnJJQUnRVrRGChGyqKu+N5G+hC2uGjM0rZZtwxxRY95bywwx8xpTYQrkj8XckU4UJDCX2pS',
  'base64',
);
const json = { accept: 'application/json' };

differential('bulk', ({ account, prepare, same }) => {
  const base = `/v1/${account}`;
  const extract = (type: string, body: Buffer, headers: Record<string, string> = json, below = ''): Exchange => ({
    method: 'PUT',
    path: `${base}${below}?extract-archive=${type}`,
    body,
    headers,
  });
  const remove = (body: string | Buffer, headers: Record<string, string> = {}, method = 'POST'): Exchange => ({
    method,
    path: `${base}?bulk-delete`,
    body,
    headers: { 'content-type': 'text/plain', ...json, ...headers },
  });
  const get = (target: string): Exchange => ({ path: `${base}/${target}` });

  prepare(() => [
    { method: 'PUT', path: `${base}/full` },
    { method: 'PUT', path: `${base}/full/o`, body: 'x' },
  ]);

  same('archives of each type', [
    extract('tar', good),
    get('c1?format=json'),
    extract('tar.gz', gzipSync(good)),
    extract('TAR.BZ2', bzipped, json, '/c3/deep/'),
    get('c3'),
    extract('tar', tar(['a', '1'], ['d/b', '2']), json, '/c4/pre'),
    get('c4'),
    extract('zip', good),
    extract('.tar.', tar(['c1/dots', 'x'])),
  ]);
  for (const accept of ['', 'text/plain', 'application/xml', 'text/xml', 'image/png', 'x;;']) {
    same(`the answer as ${accept}`, [
      extract('tar', good, { accept }),
      remove('c1/a\nc1/gone', { accept }),
      remove('full', { accept }, 'DELETE'),
    ]);
  }
  same('archives that are none', [
    extract('tar', Buffer.alloc(0)),
    extract('tar', Buffer.alloc(10_240)),
    extract('tar', Buffer.alloc(2000, 'x')),
    extract('tar', Buffer.alloc(100, 'x')),
    extract('tar.gz', good),
    extract('tar.gz', Buffer.alloc(0)),
    extract('tar.bz2', good),
    extract('tar.bz2', Buffer.alloc(0)),
    extract('tar', tar(['top', 'x'])),
  ]);
  same('a file that breaks off', [extract('tar', tar(['c1/cut', 'a'.repeat(5000)]).subarray(0, 1000))]);
  same('several bzip2 streams behind each other', [extract('tar.bz2', severalStreams, json, '/c6')]);
  same('bytes behind the end, and damaged headers', [
    extract('tar', good.subarray(0, 1100)),
    extract('tar', Buffer.concat([good, Buffer.alloc(700, 'x')])),
    extract('tar', Buffer.concat([good, tar(['c5/y', 'y'])])),
    extract(
      'tar',
      Buffer.concat([tar(['c1/first', 'x']).subarray(0, 1024), Buffer.alloc(512, 'y'), Buffer.alloc(2048)]),
    ),
  ]);
  same('members that cannot be stored', [
    extract('tar', withPax({ path: `c1/${'n'.repeat(1100)}` }, 'x', 'x')),
    extract('tar', withPax({ path: `${'c'.repeat(300)}/o` }, 'x', 'x')),
    extract('tar', withPax({ 'SCHILY.xattr.user.meta.x': 'y'.repeat(300) }, 'c1/o', 'x')),
    { ...extract('tar', good), user: 'test2:tester2' },
    { ...extract('tar', good), user: '' },
  ]);
  same('metadata of members', [
    extract(
      'tar',
      withPax(
        { 'SCHILY.xattr.user.mime_type': 'text/m', 'LIBARCHIVE.xattr.user.meta.size': 'xl', mtime: '1' },
        'c1/m',
        'x',
      ),
      { ...json, 'x-object-meta-foo': 'bar', 'x-delete-at': '5000000000' },
    ),
    get('c1/m'),
  ]);

  same('names in all forms', [
    extract('tar', good),
    remove('c1/a\nc1/nope\n/c2/x  \n\n%63%31/d/b\n'),
    remove('c1/a\nfull\nc9\n'),
    remove(''),
    remove(' \n'),
    remove(Buffer.from('c1/\xff%00\nc1/%ff\n', 'latin1')),
    remove('nowhere/x\nnowhere'),
    { ...remove('full/o'), user: 'test2:tester2' },
    { ...remove('full/o'), user: '' },
  ]);
  same('lists that are refused', [
    remove('full/o', { 'content-type': 'application/json' }),
    remove(Array.from({ length: 10_001 }, (_, i) => `full/${i}`).join('\n')),
    remove('a'.repeat(5000)),
  ]);
});
