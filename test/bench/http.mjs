/** A frugal keep-alive client for sequential timings: one connection, headers parsed no further than needed. */
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

/**
 * Sends one request; resolves with status, headers and the number of body bytes (or the body, if `keep`).
 * `body`: bytes, or an async iterable of bytes with `headers['content-length']` set.
 */
export function send(port, method, path, { headers = {}, body, keep = false } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
      let bytes = 0;
      const chunks = [];
      response.on('data', (chunk) => {
        bytes += chunk.length;
        if (keep) chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, bytes, body: Buffer.concat(chunks) });
      });
    });
    request.on('error', reject);
    if (body && !ArrayBuffer.isView(body)) {
      void (async () => {
        for await (const chunk of body) {
          if (!request.write(chunk)) await new Promise((drained) => request.once('drain', drained));
        }
        request.end();
      })().catch(reject);
    } else {
      request.end(body);
    }
  });
}

/** `sizeBytes` of the same incompressible-looking MiB, over and over. */
export async function* filler(sizeBytes) {
  const block = Buffer.alloc(1 << 20);
  for (let i = 0; i < block.length; i++) block[i] = (i * 2654435761) >>> 13;
  for (let left = sizeBytes; left > 0; left -= block.length)
    yield left < block.length ? block.subarray(0, left) : block;
}
