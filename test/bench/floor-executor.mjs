/**
 * The least a job can be: in a process of its own, for each request a new instance of one module runs over the bytes that
 * came along, and what it wrote goes back. Requests and replies are preceded by their length (32 bits) on descriptor 3.
 */
import { readSync, writeSync } from 'node:fs';

const fd = 3;
const module = new WebAssembly.Module(Buffer.from(process.argv[2], 'base64'));
const buffer = Buffer.alloc(1 << 20);

for (;;) {
  let end = 0;
  do {
    const count = readSync(fd, buffer, end, buffer.length - end, null);
    if (count === 0) process.exit(0);
    end += count;
  } while (end < 4 || end < 4 + buffer.readUInt32LE(0));
  const reply = run(buffer.subarray(4, end));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(reply.length);
  writeSync(fd, Buffer.concat([head, reply]));
}

function run(input) {
  let position = 0;
  const written = [];
  let memory;
  /** The first vector is enough for this guest. */
  const vector = (at) => {
    const view = new DataView(memory.buffer);
    return new Uint8Array(memory.buffer, view.getUint32(at, true), view.getUint32(at + 4, true));
  };
  const done = (at, count) => {
    new DataView(memory.buffer).setUint32(at, count, true);
    return 0;
  };
  const imports = {
    fd_read(_fd, vectors, _count, result) {
      const target = vector(vectors);
      const part = input.subarray(position, position + target.length);
      target.set(part);
      position += part.length;
      return done(result, part.length);
    },
    fd_write(_fd, vectors, _count, result) {
      const part = Buffer.from(vector(vectors));
      written.push(part);
      return done(result, part.length);
    },
    proc_exit() {
      throw new Error('the guest failed');
    },
  };
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = exports.memory;
  exports._start();
  return Buffer.concat(written);
}
