/**
 * In the place of an executor, or of a group's process: what a guest could make of it that has broken out of the engine.
 * It says that it is ready, and then whatever it is told to (its argument).
 */
const { writeSync } = require('node:fs');
const { encodeFrame, FrameSource, writeFrame } = require('@zerocloud/sandbox/executor/frames');
const { frameFd, lineFd } = require('@zerocloud/sandbox/executor/protocol');
const { createReport } = require('@zerocloud/sandbox/report');

const how = process.argv[2];
const frames = new FrameSource(frameFd);
const done = ({ id, channels }, changes = {}) => ({
  kind: 'done',
  id,
  report: createReport({}),
  outputs: channels
    .filter(({ limits }) => limits.writes > 0)
    .map(({ name }) => ({ name, sizeBytes: 0, body: { kind: 'bytes', data: Buffer.alloc(0) } })),
  evicted: [],
  last: false,
  ...changes,
});
const withOutput = (request, changes) =>
  done(request, { outputs: done(request).outputs.map((output) => ({ ...output, ...changes })) });
const withReport = (request, changes) => done(request, { report: createReport(changes) });

const replies = {
  honestly: (request) => [done(request)],
  'with no report': (request) => [done(request, { report: null })],
  'with a report of other things': (request) => [withReport(request, { state: 7 })],
  'with counters that are none': (request) => [withReport(request, { accounting: { reads: 'x' } })],
  'with a checksum that is none': (request) => [withReport(request, { etags: [{ name: 'a', md5: 'x\r\ny: z' }] })],
  'with an output of another size than its bytes': (request) => [withOutput(request, { sizeBytes: 1e12 })],
  'with an output that is neither bytes nor file': (request) => [withOutput(request, { body: { kind: 'x' } })],
  'with text in the place of bytes': (request) => [withOutput(request, { body: { kind: 'bytes', data: 'abc' } })],
  'with an etag that is none': (request) => [withOutput(request, { md5: 'x\r\ny: z' })],
  'with outputs that were not asked for': (request) => [done(request, { outputs: [] })],
  'with a list that is none': (request) => [done(request, { evicted: 7 })],
  'with a failure that there is not': ({ id }) => [{ kind: 'failed', id, code: 'x', message: 'y' }],
  'for another session': (request) => [done({ ...request, id: request.id + 1 })],
  twice: (request) => [done(request), done(request)],
  'that it is ready': () => [{ kind: 'ready' }],
  'with nothing': () => [null],
  'what is no frame': () => [undefined],
};

function flood(fd, bytes) {
  for (;;) {
    try {
      writeSync(fd, bytes);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const many = (value) => Buffer.concat(Array(1000).fill(Buffer.concat(encodeFrame(value))));
const floods = {
  'frames without end': () => flood(frameFd, many({ kind: 'ready' })),
  'one frame without end': () => flood(frameFd, Buffer.alloc(1024 ** 2, 0x61)),
  'words about time without end': (id) => flood(lineFd, many({ kind: 'status', id, graceMs: 1e9 })),
  'a word without end on the line': () => flood(lineFd, Buffer.alloc(1024 ** 2, 0x61)),
  // What Node's own channel between processes takes for a message of two bytes that the engine cannot read.
  'nonsense on the line': () => writeSync(lineFd, Buffer.from([0, 0, 0, 2, 0xff, 0x99])),
};

writeFrame(frameFd, { kind: 'ready' });
for (let message = frames.read(); message !== undefined; message = frames.read()) {
  const requests = [];
  if (message.nodeCount === undefined) requests.push(message);
  for (let i = 0; i < message.nodeCount; i++) requests.push(frames.read().request);
  for (const request of requests) {
    floods[how]?.(request.id);
    for (const reply of replies[how]?.(request) ?? []) {
      if (reply === undefined) writeSync(frameFd, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
      else writeFrame(frameFd, reply);
    }
  }
}
