/** What the names of queues' containers begin with. */
export const queuePrefix = '.queue_';

/**
 * A message is an object of its queue's container; its name is what is known about it besides the data:
 * `<timestamp>/<message id>/<author>/<claimer>`. From the timestamp on it is there for everybody; a claim moves it to
 * the time when the claim ends. Before its first claim the author stands for the claimer.
 */
export interface MessageName {
  timestamp: string;
  id: string;
  author: string;
  claimer: string;
}

export function formatMessageName({ timestamp, id, author, claimer }: MessageName): string {
  return `${timestamp}/${id}/${author}/${claimer}`;
}

/** Nothing for an object that is no message. */
export function findMessageName(text: string): MessageName | undefined {
  const [timestamp, id, author, claimer, ...more] = text.split('/');
  if (!timestamp || !id || !author || !claimer || more.length > 0 || !/^\d{10}\.\d{5}$/.test(timestamp)) {
    return undefined;
  }
  return { timestamp, id, author, claimer };
}

/** A timestamp some seconds later. */
export function laterTimestamp(timestamp: string, seconds: number): string {
  const [whole = '0', fraction = ''] = timestamp.split('.');
  return `${String(Number(whole) + seconds).padStart(10, '0')}.${fraction}`;
}
