import type { ObjectPath, ObjectRecord, OpenObject } from '@zerocloud/object-server';
import type { Deps } from '../context';
import { HttpError } from '../errors';
import { readWholeBody } from '../http/whole-body';
import { isManifest } from '../large-objects/stored-manifest';
import { isLink } from '../symlinks/link';
import { headBytes } from './archive';
import { findMap, getMap, jobKindOf, type ParsedJob, parseMap, readScript } from './parse';
import type { JobBody } from './request-body';
import { pathText } from './urls';

/** Descriptions read from stored archives, by the identity of the object's content: a new body is another one. */
const maxKnownMaps = 256;
/** Longer descriptions are read again each time. */
const maxKnownMapBytes = 16 * 1024;

/** Reads jobs, and templates of jobs, that lie in the store. */
export class JobObjects {
  readonly #deps: Deps;
  readonly #knownMaps = new Map<string, Uint8Array>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Opens the object for `use`, which may read it; 404 when it is not there. */
  async open<T>(path: ObjectPath, use: (opened: OpenObject) => Promise<T>): Promise<T> {
    const found = await this.find(path, use);
    if (found === undefined) throw new HttpError(404, `Error 404 Not Found while fetching ${pathText(path)}`);
    return found.result;
  }

  /** The same for an object that need not be there. */
  async find<T>(path: ObjectPath, use: (opened: OpenObject) => Promise<T>): Promise<{ result: T } | undefined> {
    const opened = await this.#deps.node.openObject(path);
    if (!opened) return undefined;
    try {
      // An application is known by its own name: rights are lent to that.
      if (isLink(opened.record)) throw new HttpError(409, `${pathText(path)} is a symlink; name its target`);
      if (isManifest(opened.record))
        throw new HttpError(409, `${pathText(path)} is a large object, which holds no job`);
      return { result: await use(opened) };
    } finally {
      opened.close();
    }
  }

  /** The object as a job of any kind, as its content type says: what X-Zerovm-Source names. */
  getJob(path: ObjectPath, script: { account: string; stdinUrl?: string }): Promise<ParsedJob> {
    return this.open(path, async (opened) => {
      const { contentType } = opened.record;
      switch (jobKindOf(contentType)) {
        case 'json':
          return this.#readDescription(opened);
        case 'script':
          return readScript(bodyOf(opened, this.#deps), this.#deps, script.account, script.stdinUrl);
        default: {
          const map = await this.#findMap(opened);
          // Nothing found: this throws as it does for an archive in a request.
          return {
            description: parseMap(map ?? (await getMap(noBytes, contentType))),
            image: { kind: 'object', path },
          };
        }
      }
    });
  }

  /** The object as an application: an archive with a description in it or, where that is `allowed`, a description. */
  findApplication(path: ObjectPath, allowed: { json: boolean }): Promise<{ record: ObjectRecord; job?: ParsedJob }> {
    return this.open(path, async (opened) => {
      const { record } = opened;
      const kind = jobKindOf(record.contentType);
      if (kind === 'json' && allowed.json) return { record, job: await this.#readDescription(opened) };
      if (kind !== 'archive' && kind !== 'gzipped') return { record };
      const map = await this.#findMap(opened);
      return { record, job: map && { description: parseMap(map), image: { kind: 'object', path } } };
    });
  }

  async #readDescription(opened: OpenObject): Promise<ParsedJob> {
    if (opened.record.sizeBytes > this.#deps.config.jobs.maxConfigBytes) throw new HttpError(413);
    return { description: parseMap(await readObject(opened)) };
  }

  async #findMap(opened: OpenObject): Promise<Uint8Array | undefined> {
    const { bodyId, sizeBytes, contentType } = opened.record;
    // The same bytes as another type are read in another way.
    const key = `${jobKindOf(contentType)} ${bodyId}`;
    const known = this.#knownMaps.get(key);
    if (known) return known;
    if (sizeBytes === 0) return undefined;
    const head = await readObject(opened, Math.min(sizeBytes, headBytes));
    const map = await findMap(head, contentType);
    if (map && map.length <= maxKnownMapBytes) this.#remember(key, Uint8Array.from(map));
    return map;
  }

  #remember(key: string, map: Uint8Array): void {
    if (this.#knownMaps.size >= maxKnownMaps) {
      const [oldest] = this.#knownMaps.keys();
      this.#knownMaps.delete(oldest!);
    }
    this.#knownMaps.set(key, map);
  }
}

const noBytes = Buffer.alloc(0);

/** The object, or its beginning, in memory. */
export async function readObject(opened: OpenObject, sizeBytes = opened.record.sizeBytes): Promise<Buffer> {
  if (sizeBytes === 0) return noBytes;
  const range = sizeBytes < opened.record.sizeBytes ? { start: 0, end: sizeBytes - 1 } : undefined;
  return readWholeBody(await opened.read(range));
}

function bodyOf(opened: OpenObject, { config }: Deps): JobBody {
  const { sizeBytes } = opened.record;
  if (sizeBytes > config.jobs.maxInputBytes) throw new HttpError(413, 'RPC request too large');
  return {
    sizeBytes,
    whole: () => readObject(opened),
    async *chunks() {
      const body = await opened.read();
      if (Buffer.isBuffer(body)) yield body;
      else yield* body;
    },
  };
}
