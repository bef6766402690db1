/**
 * Messages between server and executor are text, and the bytes in them travel behind it: each `{ kind: 'bytes', data }`
 * of a session's sources, or of a reply's outputs, is a `{ kind: 'part', part }` in the text.
 */

interface Holder {
  kind?: unknown;
  data?: unknown;
  part?: unknown;
}

/** Where messages have bytes: members with a `source`, lists of such, the outputs of a reply, and the request of a group's node. */
interface Message {
  program?: { source?: Holder };
  copy?: { source?: Holder };
  channels?: { source?: Holder }[];
  mounts?: { source?: Holder }[];
  outputs?: { body: Holder }[];
  request?: Message;
}

/** The message without its bytes, which are added to `parts`. What it was is left as it is. */
export function takeParts(value: unknown, parts: Uint8Array[]): unknown {
  const message = value as Message | null;
  if (typeof message !== 'object' || message === null) return value;
  const take = <T extends { source?: Holder } | undefined>(one: T): T =>
    one?.source?.kind === 'bytes' ? { ...one, source: toPart(one.source, parts) } : one;
  if (message.channels !== undefined) {
    const { program, copy, channels, mounts } = message;
    return {
      ...message,
      program: take(program),
      ...(copy && { copy: take(copy) }),
      channels: channels.map(take),
      mounts: mounts?.map(take),
    };
  }
  if (message.outputs !== undefined) {
    const outputs = message.outputs.map((output) =>
      output.body.kind === 'bytes' ? { ...output, body: toPart(output.body, parts) } : output,
    );
    return { ...message, outputs };
  }
  return message.request === undefined ? message : { ...message, request: takeParts(message.request, parts) };
}

/** Puts the bytes back into a message that was just read. Throws if it names a part that is not there. */
export function putParts(value: unknown, parts: readonly Uint8Array[]): unknown {
  if (parts.length > 0 && typeof value === 'object' && value !== null) put(value as Message, parts);
  return value;
}

function put(message: Message, parts: readonly Uint8Array[]): void {
  const { program, copy, channels, mounts, outputs, request } = message;
  if (program) putSource(program, parts);
  if (copy) putSource(copy, parts);
  if (channels) for (const channel of channels) putSource(channel, parts);
  if (mounts) for (const mount of mounts) putSource(mount, parts);
  if (outputs)
    for (const output of outputs) if (output.body.kind === 'part') output.body = fromPart(output.body, parts);
  if (request) put(request, parts);
}

function putSource(holder: { source?: Holder }, parts: readonly Uint8Array[]): void {
  if (holder.source?.kind === 'part') holder.source = fromPart(holder.source, parts);
}

function toPart({ data }: Holder, parts: Uint8Array[]): Holder {
  return { kind: 'part', part: parts.push(data as Uint8Array) - 1 };
}

function fromPart({ part }: Holder, parts: readonly Uint8Array[]): Holder {
  const data = parts[part as number];
  if (data === undefined) throw new RangeError('a message names bytes that it does not have');
  return { kind: 'bytes', data };
}
