/**
 * Closed-loop load over raw sockets, in a worker thread of its own: each connection sends the next request when its
 * answer is complete. Raw sockets, because node's http client costs about as much as the servers it would measure.
 */
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/**
 * @typedef {object} Load
 * @property {number} port
 * @property {number} connections
 * @property {number} durationMs
 * @property {string} method
 * @property {string} path `{n}` becomes a running number
 * @property {Record<string, string>} [headers]
 * @property {Uint8Array} [body]
 * @property {number} expect status every answer must have
 */

/**
 * @param {Load} load
 * @returns {Promise<{ perSecond: number, p50Ms: number, p99Ms: number, count: number }>}
 */
export function runLoad(load) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: load });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** One connection that sends `makeRequest()` and waits for the complete answer, until `done()`. */
function drive(port, makeRequest, expect, done, latencies) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let head = '';
    let bodyLeft = -1;
    let startedAt = 0;
    const send = () => {
      if (done()) return socket.end(resolve);
      startedAt = performance.now();
      socket.write(makeRequest());
    };
    socket.on('connect', send);
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      if (bodyLeft < 0) {
        const end = chunk.indexOf('\r\n\r\n');
        head += chunk.latin1Slice(0, end < 0 ? chunk.length : end + 2);
        if (end < 0) return;
        const status = Number(head.slice(9, 12));
        const length = /\r\ncontent-length: *(\d+)/i.exec(head);
        if (status !== expect) return reject(new Error(`expected ${expect}, got: ${head.split('\r\n', 1)[0]}`));
        if (!length && status !== 204) return reject(new Error(`no Content-Length in the answer: ${head}`));
        bodyLeft = Number(length?.[1] ?? 0) - (chunk.length - end - 4);
        head = '';
      } else {
        bodyLeft -= chunk.length;
      }
      if (bodyLeft > 0) return;
      bodyLeft = -1;
      latencies.push(performance.now() - startedAt);
      send();
    });
  });
}

async function main() {
  /** @type {Load} */
  const load = workerData;
  const body = Buffer.from(load.body ?? []);
  const headers = {
    host: `127.0.0.1:${load.port}`,
    ...load.headers,
    ...(load.body ? { 'content-length': String(body.length) } : {}),
  };
  const tail = ` HTTP/1.1\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
  let number = 0;
  const makeRequest = () => {
    const head = Buffer.from(`${load.method} ${load.path.replace('{n}', String(number++))}${tail}`, 'latin1');
    return body.length > 0 ? Buffer.concat([head, body]) : head;
  };
  const latencies = [];
  const startedAt = performance.now();
  const done = () => performance.now() - startedAt > load.durationMs;
  await Promise.all(
    Array.from({ length: load.connections }, () => drive(load.port, makeRequest, load.expect, done, latencies)),
  );
  const elapsedMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  parentPort.postMessage({
    count: latencies.length,
    perSecond: (latencies.length / elapsedMs) * 1000,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)],
    p99Ms: latencies[Math.floor(latencies.length * 0.99)],
  });
}

if (!isMainThread) await main();
