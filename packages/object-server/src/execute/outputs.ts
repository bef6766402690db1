import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Output } from '@zerocloud/sandbox';
import { isStorageError } from '../errors';
import type { Staging } from '../staging';
import type { NodeChannel, NodeOutput, NodeSession } from '../storage-node';
import type { ObjectRecord } from '../store/object-store';
import type { FoundHead } from './message-head';
import { findHead, targetOfMessage } from './message-output';
import type { ObjectFiles } from './opened-sources';

/**
 * What becomes of a session's outputs: stored under their target by rename, returned, or dropped. They are stored in
 * channel order until the first refusal; every file is stored, handed on or removed, whatever happens.
 */
export async function settleOutputs(
  request: NodeSession,
  outputs: Output[],
  store: ObjectFiles,
  staging: Staging,
): Promise<NodeOutput[]> {
  const byName = new Map(outputs.map((output) => [output.name, output]));
  const settled: NodeOutput[] = [];
  let refused = false;
  try {
    for (const channel of request.channels) {
      const output = byName.get(`/dev/${channel.device}`);
      if (!output) continue;
      if (channel.discard) {
        byName.delete(output.name);
        await drop(output);
        continue;
      }
      if (channel.spill) {
        byName.delete(output.name);
        settled.push({
          device: channel.device,
          sizeBytes: output.sizeBytes,
          stagedId: await staging.adopt(output.body),
        });
        continue;
      }
      const message = channel.message && (await findHead(output, channel.message));
      byName.delete(output.name);
      const headBytes = message?.sizeBytes ?? 0;
      // What the object held before stays when nothing is known of what should take its place.
      const isKept = channel.target !== undefined && output.isLost === true;
      if (refused || isKept || output.sizeBytes - headBytes < (channel.minSizeBytes ?? 0)) {
        await drop(output);
        settled.push(describe(channel, output, message));
      } else if (channel.target) {
        const stored = await storeOutput(request, channel, output, message, store);
        refused = stored.refused !== undefined;
        settled.push(stored);
      } else {
        settled.push({ body: bodyOf(output, headBytes), ...describe(channel, output, message) });
      }
    }
    return settled;
  } catch (error) {
    await dropSettled(settled, staging);
    throw error;
  } finally {
    for (const output of byName.values()) await drop(output);
  }
}

/** Lets go of outputs that nobody will take. */
export async function dropSettled(settled: readonly NodeOutput[], staging: Staging): Promise<void> {
  for (const { body, stagedId } of settled) {
    if (body && !Buffer.isBuffer(body)) body.destroy();
    if (stagedId !== undefined) await staging.releaseBody(stagedId);
  }
}

/** Removes the files of outputs of which nothing is wanted. */
export async function dropOutputs(outputs: readonly Output[]): Promise<void> {
  for (const output of outputs) await drop(output);
}

async function storeOutput(
  request: NodeSession,
  channel: NodeChannel,
  output: Output,
  message: FoundHead | undefined,
  store: ObjectFiles,
): Promise<NodeOutput> {
  const described = describe(channel, output, message);
  try {
    const record = message
      ? await storeMessage(request, channel, output, message, store)
      : await storeWhole(request, channel, output, store);
    return { ...described, md5: record.etag, stored: channel.target!.path };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { ...described, refused: error.code };
  }
}

function storeWhole(request: NodeSession, channel: NodeChannel, output: Output, store: ObjectFiles) {
  const { path, contentType, metadata } = channel.target!;
  const { sizeBytes, md5 } = output;
  const body = output.body.kind === 'bytes' ? { ...output.body, md5 } : { ...output.body, sizeBytes, md5 };
  return store.putFinishedObject(path, body, { timestamp: request.timestamp, contentType, metadata });
}

/** Stores what follows the head. A file cannot lose its first bytes, so the rest of it is copied by stream. */
async function storeMessage(
  request: NodeSession,
  channel: NodeChannel,
  output: Output,
  { head, sizeBytes: headBytes }: FoundHead,
  store: ObjectFiles,
): Promise<ObjectRecord> {
  try {
    const { path, contentType, metadata } = targetOfMessage(channel.target!, head, channel.message!);
    const options = { timestamp: request.timestamp, contentType, metadata };
    if (output.body.kind === 'bytes') {
      return await store.putFinishedObject(
        path,
        { kind: 'bytes', data: output.body.data.subarray(headBytes) },
        options,
      );
    }
    const contentLength = output.sizeBytes - headBytes;
    const body = createReadStream(output.body.path, { start: headBytes, highWaterMark: 256 * 1024 });
    return await store.putObject(path, body, { ...options, contentLength, maxBytes: contentLength });
  } finally {
    await drop(output);
  }
}

function describe(channel: NodeChannel, { sizeBytes, md5 }: Output, message?: FoundHead): NodeOutput {
  if (!message) return { device: channel.device, sizeBytes, md5 };
  return { device: channel.device, sizeBytes: sizeBytes - message.sizeBytes, message: message.head };
}

function bodyOf({ body }: Output, start: number): Buffer | Readable {
  if (body.kind === 'file') return spilledBody(body.path, start);
  return Buffer.from(body.data.buffer, body.data.byteOffset + start, body.data.byteLength - start);
}

/** Opens the file only when it is read, so that a thousand waiting outputs hold no descriptors; removes it at the end. */
function spilledBody(path: string, start: number): Readable {
  const stream = Readable.from(chunksOf(path, start), { objectMode: false });
  stream.once('close', () => unlink(path).catch(() => {}));
  return stream;
}

async function* chunksOf(path: string, start: number): AsyncGenerator<Buffer> {
  yield* createReadStream(path, { start, highWaterMark: 256 * 1024 });
}

async function drop({ body }: Output): Promise<void> {
  if (body.kind === 'file') await unlink(body.path).catch(() => {});
}
