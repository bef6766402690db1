/** Bounds of a body that is read whole. */
export interface WholeBodyLimit {
  maxBytes: number;
  /** What is thrown as soon as there is more. */
  tooLarge(): Error;
}

/**
 * All of a body that is small: a part of a store's or a subrequest's answer (known to be so), or what a client sends,
 * up to the limit. The body ends with whatever error it meets.
 */
export async function readWholeBody(
  body: Buffer | AsyncIterable<Uint8Array>,
  { maxBytes, tooLarge }: WholeBodyLimit = unlimited,
): Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  const [only] = chunks;
  return chunks.length === 1 && Buffer.isBuffer(only) ? only : Buffer.concat(chunks);
}

const unlimited: WholeBodyLimit = {
  maxBytes: Number.POSITIVE_INFINITY,
  tooLarge: () => new Error('no body is that large'),
};
