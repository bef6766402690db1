import { createHash, hash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import type { Output } from '../session';
import { type ChannelSpec, isReadable } from './channel-spec';
import { openSource } from './open-source';
import { copyContent, OutputFile, openSpillFile, writeFully } from './output-file';
import { readFully } from './random-access';
import { type ChannelState, channelBufferBytes } from './state';

export interface CollectOptions {
  /** Contents up to this size come back as bytes; a spill file is emptied. */
  inlineBytes: number;
}

/**
 * What a writable channel received, from the shared state and the spill file alone: the same after a regular end and
 * after the worker was killed. Call it once, when the worker cannot write any more, and before `state.reset`.
 * A session that failed before it opened the channel has left it as it was: empty, or what its source holds.
 * A discarded output, and one that went to an inherited file or a pipe, has its size but no bytes. Throws the system error if the output's file fails.
 */
export function collectOutput(spec: ChannelSpec, state: ChannelState, { inlineBytes }: CollectOptions): Output {
  if (!state.opened) loadSource(spec, state);
  const { name } = spec;
  const { sizeBytes } = state;
  if (spec.discard || spec.inherited !== undefined || spec.pipe !== undefined)
    return { name, sizeBytes, body: { kind: 'bytes', data: new Uint8Array(0) }, ...digestOf(spec, state) };
  const held = findHeldContent(spec, state);
  if (held !== undefined && sizeBytes <= inlineBytes) {
    const md5 = spec.etag ? hash('md5', held) : undefined;
    return { name, sizeBytes, body: { kind: 'bytes', data: held }, ...(md5 && { md5 }) };
  }
  const path = spec.spillPath;
  if (path === undefined) throw new Error(`channel ${name} has no spill file`);
  const fd = completeFile(path, spec, state, held);
  try {
    const md5 = spec.etag ? (state.digest ?? md5OfFile(fd, sizeBytes)) : undefined;
    if (sizeBytes > inlineBytes) return { name, sizeBytes, body: { kind: 'file', path }, ...(md5 && { md5 }) };
    const data = new Uint8Array(sizeBytes);
    readFully(fd, data, 0, sizeBytes, 0);
    ftruncateSync(fd);
    return { name, sizeBytes, body: { kind: 'bytes', data }, ...(md5 && { md5 }) };
  } finally {
    closeSync(fd);
  }
}

/** Brings a channel that was never opened into the state that opening gives it. */
function loadSource(spec: ChannelSpec, state: ChannelState): void {
  if (!isReadable(spec) || spec.source === undefined) return;
  const source = openSource(spec.source, `channel ${spec.name}`);
  try {
    new OutputFile(spec, state, source.content).finish();
  } finally {
    source.close();
  }
}

/** A copy of the whole content if it never left the shared buffer. */
function findHeldContent(spec: ChannelSpec, state: ChannelState): Uint8Array | undefined {
  const { sizeBytes, windowStart, windowLength } = state;
  if (state.spilled || sizeBytes > channelBufferBytes || holdsSourceOnly(spec, state)) return undefined;
  const content = new Uint8Array(sizeBytes);
  if (windowLength > 0) content.set(state.buffer.subarray(0, windowLength), windowStart);
  return content;
}

/** A channel with both directions that was never written, too large for the buffer: its content is still the source's. */
function holdsSourceOnly(spec: ChannelSpec, state: ChannelState): boolean {
  return isReadable(spec) && !state.spilled && state.windowLength === 0 && state.sizeBytes > channelBufferBytes;
}

/** Brings everything that is not in the spill file there and returns it opened. */
function completeFile(path: string, spec: ChannelSpec, state: ChannelState, held: Uint8Array | undefined): number {
  const fd = state.spilled ? openSync(path, 'r+') : openSpillFile(path);
  try {
    if (!state.spilled) writeUnspilled(fd, spec, state, held);
    if (held === undefined && state.windowLength > 0) {
      writeFully(fd, state.buffer, 0, state.windowLength, state.windowStart);
    }
    if (fstatSync(fd).size !== state.sizeBytes) ftruncateSync(fd, state.sizeBytes);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What the buffer holds, or what the channel held before if that was never changed. */
function writeUnspilled(fd: number, spec: ChannelSpec, state: ChannelState, held: Uint8Array | undefined): void {
  const { source } = spec;
  if (!holdsSourceOnly(spec, state)) {
    if (held !== undefined) writeFully(fd, held, 0, held.byteLength, 0);
  } else if (source !== undefined) {
    const { content, close } = openSource(source, `channel ${spec.name}`);
    try {
      copyContent(content, fd);
    } finally {
      close();
    }
  }
}

function digestOf(spec: ChannelSpec, state: ChannelState): { md5?: string } {
  return spec.etag && state.digest !== undefined ? { md5: state.digest } : {};
}

function md5OfFile(fd: number, sizeBytes: number): string {
  const md5 = createHash('md5');
  const chunk = new Uint8Array(Math.min(sizeBytes, 1024 * 1024));
  for (let position = 0; position < sizeBytes; ) {
    const count = readFully(fd, chunk, 0, chunk.byteLength, position);
    if (count === 0) break;
    md5.update(chunk.subarray(0, count));
    position += count;
  }
  return md5.digest('hex');
}
