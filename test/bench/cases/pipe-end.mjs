/** One thread of the pipe case: moves `sizeBytes` through its end in calls of `callBytes`, from or to a memory like a guest's. */
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);
const { openChannel } = require('@zerocloud/sandbox/channels/open-channel');
const { IoVectors } = require('@zerocloud/sandbox/channels/io-vectors');
const { ChannelState, createChannelState } = require('@zerocloud/sandbox/channels/state');

const { writes, callBytes } = workerData;
const most = Number.MAX_SAFE_INTEGER;
const closed = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };
const limits = writes ? { ...closed, writes: most, writeBytes: most } : { ...closed, reads: most, readBytes: most };
const memory = new Uint8Array(new WebAssembly.Memory({ initial: 16 }).buffer).fill(1);
const vectors = IoVectors.of(4096, callBytes);

parentPort.on('message', ({ pipe, sizeBytes }) => {
  const spec = { name: '/dev/pipe', type: 0, fileType: 'pipe', etag: false, limits, pipe };
  const channel = openChannel(spec, new ChannelState(createChannelState({ writable: true })));
  let done = 0;
  for (let count = 1; count > 0 && done < sizeBytes; done += count) {
    count = writes ? channel.write(memory, vectors, 0) : channel.read(memory, vectors, 0);
  }
  channel.finish();
  parentPort.postMessage(done);
});
