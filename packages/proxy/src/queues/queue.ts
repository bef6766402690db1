import { randomBytes } from 'node:crypto';
import {
  type ContainerPath,
  isStorageError,
  type ObjectEntry,
  type ObjectRecord,
  type StorageNode,
} from '@zerocloud/object-server';
import { readWholeBody } from '../http/whole-body';
import { findMessageName, formatMessageName, laterTimestamp, type MessageName } from './message-name';

/** A message as clients see it. */
export interface Message {
  claim_id: string;
  msg_id: string;
  client_id: string;
  data: unknown;
}

interface FoundMessage {
  name: MessageName;
  record: ObjectRecord;
  data: unknown;
}

/** Names looked at once, and at most for one request: a queue full of one's own messages is not searched to its end. */
const namesPerPage = 500;
const maxNames = 10_000;

/** Data of the messages of one answer; at least one message is given, however large. */
const maxAnswerBytes = 8 * 1024 ** 2;

export interface SearchOptions {
  /** Of the request: messages of later timestamps are claimed, or not there yet. */
  now: string;
  limit: number;
  /** Whose own messages are left out. */
  notFrom?: string;
}

/** The messages of one queue, over nothing but the store. Several servers may use the same queue. */
export class Queue {
  constructor(
    private readonly node: StorageNode,
    private readonly path: ContainerPath,
    private readonly maxMessageBytes: number,
  ) {}

  /** Stores a message; `json` is its data. `containerNotFound`. */
  async add(json: Buffer, data: unknown, author: string, options: { now: string; ttlS: number }): Promise<Message> {
    const { now, ttlS } = options;
    const id = randomBytes(8).toString('hex');
    const name: MessageName = { timestamp: now, id, author, claimer: author };
    await this.node.putObject({ ...this.path, object: formatMessageName(name) }, once(json), {
      timestamp: now,
      contentType: 'application/json',
      metadata: {},
      // Whole seconds; a message lives no shorter than asked.
      deleteAt: Math.ceil(Number(now)) + ttlS,
      contentLength: json.length,
      maxBytes: this.maxMessageBytes,
    });
    return messageOf(name, data);
  }

  /** Messages that nobody holds, the oldest first. `containerNotFound`. */
  async list(options: SearchOptions): Promise<Message[]> {
    const messages: Message[] = [];
    for await (const { name, data } of this.#search(options)) messages.push(messageOf(name, data));
    return messages;
  }

  /** Takes messages for `ttlS` seconds; `null` stands for one that another client took first. */
  async claim(claimer: string, ttlS: number, options: SearchOptions): Promise<(Message | null)[]> {
    const claimed: (Message | null)[] = [];
    const timestamp = laterTimestamp(options.now, ttlS);
    for await (const message of this.#search(options)) {
      claimed.push((await this.#move(message, { ...message.name, timestamp, claimer }, options.now)) ?? null);
    }
    return claimed;
  }

  /** Moves the end of a claim to `ttlS` seconds from now. Nothing when the claim is gone. */
  async extend(claim: MessageName, ttlS: number, now: string): Promise<Message | undefined> {
    const found = await this.#open(claim);
    return found && this.#move(found, { ...claim, timestamp: laterTimestamp(now, ttlS) }, now);
  }

  async *#search({ now, limit, notFrom }: SearchOptions): AsyncGenerator<FoundMessage> {
    let marker: string | undefined;
    let found = 0;
    let answerBytes = 0;
    for (let seen = 0; seen < maxNames && found < limit; ) {
      const page = await this.node.listObjects(this.path, { limit: namesPerPage, marker, endMarker: now });
      for (const { name: object } of page as ObjectEntry[]) {
        const name = findMessageName(object);
        if (!name || name.author === notFrom) continue;
        const message = await this.#open(name);
        if (!message) continue;
        answerBytes += message.record.sizeBytes;
        if (found > 0 && answerBytes > maxAnswerBytes) return;
        yield message;
        if (++found >= limit) return;
      }
      if (page.length < namesPerPage) return;
      seen += page.length;
      marker = (page.at(-1) as ObjectEntry).name;
    }
  }

  /** Nothing for a message that is gone or past its time, and for an object that is none. */
  async #open(name: MessageName): Promise<FoundMessage | undefined> {
    const opened = await this.node.openObject({ ...this.path, object: formatMessageName(name) });
    if (!opened) return undefined;
    try {
      const { record } = opened;
      if (record.sizeBytes > this.maxMessageBytes) return undefined;
      const json = await readWholeBody(await opened.read());
      return { name, record, data: JSON.parse(json.toString('utf8')) };
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    } finally {
      opened.close();
    }
  }

  /**
   * Gives a message another name. The new one is there before the old one goes, so that no message is lost if the server
   * dies in between (it may come twice then); who fails to remove the old one was too late, and takes the new one back.
   */
  async #move({ name, record, data }: FoundMessage, target: MessageName, now: string): Promise<Message | undefined> {
    const source = { ...this.path, object: formatMessageName(name) };
    const moved = { ...this.path, object: formatMessageName(target) };
    if (source.object === moved.object) return messageOf(target, data);
    try {
      const { contentType, metadata, deleteAt, bodyId } = record;
      await this.node.copyObject(source, moved, {
        timestamp: now,
        sourceBodyId: bodyId,
        contentType,
        metadata,
        deleteAt,
        ifAbsent: true,
      });
    } catch (error) {
      if (isStorageError(error, 'objectNotFound') || isStorageError(error, 'objectExists')) return undefined;
      throw error;
    }
    try {
      await this.node.deleteObject(source, { timestamp: now });
    } catch (error) {
      if (!isStorageError(error, 'objectNotFound')) throw error;
      await this.node.deleteObject(moved, { timestamp: now }).catch((late) => {
        if (!isStorageError(late, 'objectNotFound')) throw late;
      });
      return undefined;
    }
    return messageOf(target, data);
  }
}

function messageOf(name: MessageName, data: unknown): Message {
  return { claim_id: formatMessageName(name), msg_id: name.id, client_id: name.author, data };
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}
