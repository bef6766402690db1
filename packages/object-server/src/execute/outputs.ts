import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Output } from '@zerocloud/sandbox';
import { isStorageError } from '../errors';
import type { NodeChannel, NodeOutput, NodeSession } from '../storage-node';
import type { ObjectFiles } from './opened-sources';

/**
 * What becomes of a session's outputs: stored under their target by rename, returned, or dropped. They are stored in
 * channel order until the first refusal; every file is stored, handed on or removed, whatever happens.
 */
export async function settleOutputs(
  request: NodeSession,
  outputs: Output[],
  store: ObjectFiles,
): Promise<NodeOutput[]> {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const settled: NodeOutput[] = [];
  let refused = false;
  try {
    for (const channel of request.channels) {
      const output = byName.get(`/dev/${channel.device}`);
      if (!output) continue;
      byName.delete(output.name);
      if (channel.discard) {
        await drop(output);
      } else if (refused || output.sizeBytes < (channel.minSizeBytes ?? 0)) {
        await drop(output);
        settled.push(describe(channel, output));
      } else if (channel.target) {
        const stored = await storeOutput(request, channel, output, store);
        refused = stored.refused !== undefined;
        settled.push(stored);
      } else {
        settled.push({ ...describe(channel, output), body: bodyOf(output) });
      }
    }
    return settled;
  } catch (error) {
    for (const { body } of settled) if (body && !Buffer.isBuffer(body)) body.destroy();
    throw error;
  } finally {
    for (const output of byName.values()) await drop(output);
  }
}

async function storeOutput(
  request: NodeSession,
  channel: NodeChannel,
  output: Output,
  store: ObjectFiles,
): Promise<NodeOutput> {
  const { path, contentType, metadata } = channel.target!;
  const { sizeBytes, md5 } = output;
  const body = output.body.kind === 'bytes' ? { ...output.body, md5 } : { ...output.body, sizeBytes, md5 };
  try {
    const record = await store.putFinishedObject(path, body, { timestamp: request.timestamp, contentType, metadata });
    return { device: channel.device, sizeBytes, md5: record.etag, stored: path };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { ...describe(channel, output), refused: error.code };
  }
}

function describe(channel: NodeChannel, { sizeBytes, md5 }: Output): NodeOutput {
  return { device: channel.device, sizeBytes, md5 };
}

function bodyOf({ body }: Output): Buffer | Readable {
  if (body.kind === 'bytes') return Buffer.from(body.data.buffer, body.data.byteOffset, body.data.byteLength);
  return spilledBody(body.path);
}

/** Opens the file only when it is read, so that a thousand waiting outputs hold no descriptors; removes it at the end. */
function spilledBody(path: string): Readable {
  const stream = Readable.from(chunksOf(path), { objectMode: false });
  stream.once('close', () => unlink(path).catch(() => {}));
  return stream;
}

async function* chunksOf(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path, { highWaterMark: 256 * 1024 });
}

async function drop({ body }: Output): Promise<void> {
  if (body.kind === 'file') await unlink(body.path).catch(() => {});
}
