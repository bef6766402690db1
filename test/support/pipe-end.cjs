/**
 * A thread that plays a session with one end of a pipe. Each message is a job for it; the answer tells what the channel
 * said. A thread that waits in a pipe does not answer: the test terminates it.
 */
const { createHash } = require('node:crypto');
const { parentPort, workerData } = require('node:worker_threads');
const { openChannel } = require('@zerocloud/sandbox/channels/open-channel');
const { IoVectors } = require('@zerocloud/sandbox/channels/io-vectors');
const { ChannelState } = require('@zerocloud/sandbox/channels/state');

const maxChunkBytes = 256 * 1024;
const memory = new Uint8Array(maxChunkBytes);
const started = new Int32Array(workerData);

parentPort.on('message', ({ spec, state: shared, chunks, sizeBytes, finish = true }) => {
  const state = new ChannelState(shared);
  const channel = openChannel(spec, state);
  const hash = createHash('md5');
  Atomics.store(started, 0, 1);
  let done = 0;
  let last = 0;
  for (let i = 0; done < sizeBytes; i++) {
    const length = Math.min(chunks[i % chunks.length], maxChunkBytes, sizeBytes - done);
    if (channel.writable) {
      for (let at = 0; at < length; at++) memory[at] = (done + at) * 31 + ((done + at) >>> 8);
      last = channel.write(memory, IoVectors.of(0, length));
    } else {
      last = channel.read(memory, IoVectors.of(0, length));
    }
    if (last <= 0) break;
    hash.update(memory.subarray(0, last));
    done += last;
  }
  if (finish) channel.finish();
  parentPort.postMessage({ done, last, md5: hash.digest('hex'), writes: state.writes, reads: state.reads });
});
