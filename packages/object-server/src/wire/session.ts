import { Readable } from 'node:stream';
import type { NodeGroup, NodeOutput, NodeResult, NodeSession, NodeSource } from '../storage-node';
import { ByteReader } from './byte-reader';

/**
 * A session as JSON (bytes in base64), and its result as one frame: four bytes of length, a JSON head, then the bodies
 * of the returned outputs. Bodies at hand come first, streamed ones after, each group in channel order, so that a
 * reader has everything but the large outputs before it lets go of the result.
 */

interface Head {
  report: NodeResult['report'];
  outputs: (Omit<NodeOutput, 'body'> & { body?: 'bytes' | 'stream' })[];
}

/** JSON of a session. */
export function encodeSession(session: NodeSession): string {
  return JSON.stringify(toJson(session));
}

/** JSON of a group. */
export function encodeGroup({ sessions, pipes }: NodeGroup): string {
  return JSON.stringify({ sessions: sessions.map(toJson), pipes });
}

function toJson(session: NodeSession): unknown {
  const { program } = session;
  return {
    ...session,
    program: program.kind === 'source' ? { ...program, source: encodeSource(program.source) } : program,
    channels: session.channels.map((channel) =>
      channel.source ? { ...channel, source: encodeSource(channel.source) } : channel,
    ),
  };
}

function encodeSource(source: NodeSource): unknown {
  if (source.kind !== 'bytes') {
    return source;
  }
  const { buffer, byteOffset, byteLength } = source.data;
  return { kind: 'bytes', data: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
}

/** A result as a whole buffer when all its bodies are at hand, else as a stream of known length. */
export function encodeResult(result: NodeResult): { body: Buffer | Readable; sizeBytes: number } {
  return encode(headOf(result), result.outputs);
}

/** The results of a group in the same way, with one list of heads and then the bodies of all. */
export function encodeResults(results: readonly NodeResult[]): { body: Buffer | Readable; sizeBytes: number } {
  return encode(
    results.map(headOf),
    results.flatMap(({ outputs }) => outputs),
  );
}

function headOf({ report, outputs }: NodeResult): Head {
  return {
    report,
    outputs: outputs.map(({ body, ...output }) => ({
      ...output,
      ...(body && { body: Buffer.isBuffer(body) ? ('bytes' as const) : ('stream' as const) }),
    })),
  };
}

function encode(head: Head | Head[], outputs: readonly NodeOutput[]): { body: Buffer | Readable; sizeBytes: number } {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const bodies = outputs.flatMap(({ body }) => (body ? [body] : []));
  const start = Buffer.concat([length, json, ...bodies.filter((body) => Buffer.isBuffer(body))]);
  const streams = bodies.filter((body): body is Readable => !Buffer.isBuffer(body));
  if (streams.length === 0) {
    return { body: start, sizeBytes: start.length };
  }
  const streamed = outputs.filter(({ body }) => body && !Buffer.isBuffer(body));
  const sizeBytes = streamed.reduce((sum, output) => sum + output.sizeBytes, start.length);
  return { body: concatenate(start, streams), sizeBytes };
}

function concatenate(start: Buffer, streams: Readable[]): Readable {
  async function* chunks() {
    yield start;
    for (const stream of streams) {
      yield* stream;
    }
  }
  const all = Readable.from(chunks(), { objectMode: false });
  all.once('close', () => {
    for (const stream of streams) {
      stream.destroy();
    }
  });
  return all;
}

/**
 * The result from the bytes of its frame. Streamed bodies must be read, or destroyed, in order: all share the one
 * connection `input`, which is destroyed when the last of them is.
 */
export async function decodeResult(input: Readable): Promise<NodeResult> {
  const reader = new ByteReader(input);
  const head: Head = await takeHead(reader);
  const [outputs] = await takeBodies([head], reader);
  return { report: head.report, outputs: outputs! };
}

/** The results of a group. Their streamed bodies share one connection, too: they come in order from result to result. */
export async function decodeResults(input: Readable): Promise<NodeResult[]> {
  const reader = new ByteReader(input);
  const heads: Head[] = await takeHead(reader);
  const outputs = await takeBodies(heads, reader);
  return heads.map(({ report }, index) => ({ report, outputs: outputs[index]! }));
}

async function takeHead<T>(reader: ByteReader): Promise<T> {
  const length = (await reader.take(4)).readUInt32BE();
  return JSON.parse((await reader.take(length)).toString());
}

async function takeBodies(heads: Head[], reader: ByteReader): Promise<NodeOutput[][]> {
  const streamed: NodeOutput[] = [];
  const all: NodeOutput[][] = [];
  for (const { outputs } of heads) {
    const taken: NodeOutput[] = [];
    for (const { body, ...output } of outputs) {
      const one: NodeOutput = body === 'bytes' ? { ...output, body: await reader.take(output.sizeBytes) } : output;
      if (body === 'stream') streamed.push(one);
      taken.push(one);
    }
    all.push(taken);
  }
  const streams = reader.split(streamed.map(({ sizeBytes }) => sizeBytes));
  for (const [index, output] of streamed.entries()) output.body = streams[index];
  return all;
}
