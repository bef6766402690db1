import type { ContainerPath, StorageNode } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';
import { getUploadRoom } from './upload-quota';

/**
 * What quotas leave for the outputs of one job, looked up once per container when the job begins. Outputs of nodes that
 * run beside each other each have the whole room, as uploads have that run beside each other.
 */
export class OutputRooms {
  #rooms?: Map<string, number | HttpError>;

  constructor(
    private readonly node: StorageNode,
    private readonly maxBytes: number,
  ) {}

  /** The refusal of an output to this container, if there is no room at all. */
  async findRefusal(path: ContainerPath): Promise<HttpError | undefined> {
    const key = keyOf(path);
    this.#rooms ??= new Map();
    let room = this.#rooms.get(key);
    if (room === undefined) {
      room = await this.#measure(path);
      this.#rooms.set(key, room);
    }
    return typeof room === 'number' ? undefined : room;
  }

  /** Bytes that an output to this container may have, as far as quotas are concerned. */
  bytesFor(path: ContainerPath): number {
    const room = this.#rooms?.get(keyOf(path));
    return typeof room === 'number' ? room : this.maxBytes;
  }

  async #measure(path: ContainerPath): Promise<number | HttpError> {
    const [container, account] = await Promise.all([
      this.node.findContainer(path),
      this.node.findAccount(path.account),
    ]);
    // Whoever stores the output finds out that its container is missing.
    if (!container) return this.maxBytes;
    try {
      const room = getUploadRoom(account, container, undefined, this.maxBytes);
      return room > 0 ? room : new HttpError(413, 'Upload exceeds quota.', { headers: { 'content-type': htmlType } });
    } catch (error) {
      if (error instanceof HttpError) return error;
      throw error;
    }
  }
}

function keyOf({ account, container }: ContainerPath): string {
  return `${account}\0${container}`;
}
