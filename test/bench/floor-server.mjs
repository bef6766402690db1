/**
 * The floors: bare node:http doing the least that an honest answer needs, nothing else.
 *   PUT /batch/<name>   body into LevelDB, synced, writers share one batch (group commit)
 *   GET /memory         4 KiB from memory
 *   GET /file           a file, piped
 *   PUT /file           body to a file, md5 on the way, fsync
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Level } from 'level';

const dir = process.env.FLOOR_DIR;
fs.mkdirSync(dir, { recursive: true });
const db = new Level(path.join(dir, 'level'), { keyEncoding: 'utf8', valueEncoding: 'buffer' });
await db.open();
const memory = Buffer.alloc(4096, 'x');

let pending = [];
let waiting = [];
let syncing = false;
function put(key, value) {
  pending.push({ type: 'put', key, value });
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
    if (!syncing) void flush();
  });
}
async function flush() {
  syncing = true;
  while (pending.length > 0) {
    const [batch, writers] = [pending, waiting];
    [pending, waiting] = [[], []];
    try {
      await db.batch(batch, { sync: true });
      for (const writer of writers) writer.resolve();
    } catch (error) {
      for (const writer of writers) writer.reject(error);
    }
  }
  syncing = false;
}

async function putFile(request) {
  const hash = createHash('md5');
  const file = path.join(dir, 'put');
  const out = fs.createWriteStream(file, { flush: true });
  await pipeline(
    request,
    async function* (chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk);
        yield chunk;
      }
    },
    out,
  );
  return hash.digest('hex');
}

const server = http.createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/memory') {
    response.writeHead(200, { 'content-length': memory.length });
    response.end(memory);
  } else if (request.method === 'GET') {
    const file = path.join(dir, 'get');
    response.writeHead(200, { 'content-length': fs.statSync(file).size });
    fs.createReadStream(file).pipe(response);
  } else if (request.url === '/file') {
    const etag = await putFile(request);
    response.writeHead(201, { etag, 'content-length': 0 }).end();
  } else {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      await put(request.url, Buffer.concat(chunks));
      response.writeHead(201, { 'content-length': 0 }).end();
    });
  }
});
server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close(() => void db.close());
});
