/** The floor of a job: bare node:http that hands 4 KiB to a bare process (`floor-executor.mjs`) and answers with its output. */
import { spawn } from 'node:child_process';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { compileWat } from './compile-wat.mjs';

const program = await compileWat(new URL('guests/count-bytes.wat', import.meta.url));
const executor = spawn(
  process.execPath,
  [fileURLToPath(new URL('floor-executor.mjs', import.meta.url)), Buffer.from(program).toString('base64')],
  { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] },
);
const socket = executor.stdio[3];
const input = Buffer.alloc(4096, 'x');
const frame = Buffer.alloc(4 + input.length);
frame.writeUInt32LE(input.length);
input.copy(frame, 4);

const waiting = [];
let received = Buffer.alloc(0);
socket.on('data', (chunk) => {
  received = Buffer.concat([received, chunk]);
  while (received.length >= 4 && received.length >= 4 + received.readUInt32LE(0)) {
    const end = 4 + received.readUInt32LE(0);
    waiting.shift()(received.subarray(4, end));
    received = received.subarray(end);
  }
});

const server = http.createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    waiting.push((output) => {
      response.writeHead(200, { 'content-length': output.length });
      response.end(output);
    });
    socket.write(frame);
  });
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
  socket.end();
});
