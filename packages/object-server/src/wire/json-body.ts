import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { ProtocolError } from './errors';
import { maxRequestBytes } from './protocol';

/** The JSON body of a request, checked; a `ProtocolError` when it is too large, no JSON, or not of this protocol. */
export async function readJson<T>(input: Readable, schema: z.ZodType<T>): Promise<T> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxRequestBytes) {
      throw new ProtocolError(413, 'badRequest', `The request body is larger than ${maxRequestBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return parseJson(Buffer.concat(chunks).toString(), schema);
}

/** JSON from a header, a query or a body; a `ProtocolError` when it is none or not of this protocol. */
export function parseJson<T>(text: string | undefined, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    throw new ProtocolError(400, 'badRequest', 'The request is no JSON.');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`);
    throw new ProtocolError(400, 'badRequest', `The request does not keep to the protocol: ${problems.join('; ')}`);
  }
  return parsed.data;
}
