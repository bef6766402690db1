import type { ByteSource, StopSignal } from '@zerocloud/sandbox';
import { isStorageError, StorageError } from '../errors';
import type { Staging } from '../staging';
import type { NodeSource } from '../storage-node';
import type { BodyFiles } from '../store/body-files';
import {
  type ContainerPath,
  linkTargetName,
  manifestNames,
  type ObjectPath,
  type ObjectRecord,
  type ObjectStore,
  type OpenObject,
  type StoragePolicy,
} from '../store/object-store';
import { type ListingFiles, writeListing } from './container-listing/write-listing';

/** What sessions need of a store: objects to read, places to write. */
export type ObjectFiles = Pick<ObjectStore, 'openObject' | 'putObject' | 'findContainer' | 'listObjects'> & BodyFiles;

export interface OpenedSource {
  source: ByteSource;
  sizeBytes: number;
  /** Stable identity of the bytes, if they have one. */
  identity?: string;
  /** Present for stored objects. */
  record?: ObjectRecord;
}

export interface OpenOptions {
  /** The co-located object, for the sentence when it is missing. */
  local: boolean;
  /** The bytes are a tar to be mounted: gzipped ones are inflated, up to `maxBytes`. */
  image?: { maxBytes: number };
  /** Largest file that a container's listing may become. */
  maxListingBytes: number;
}

/** ZeroCloud's content type of the tars that are inflated before they are mounted. */
const gzipType = 'application/x-gzip';

/** Everything one session reads, pinned until `close`. */
export class OpenedSources {
  readonly #store: ObjectFiles;
  readonly #staging: Staging;
  readonly #closers: (() => void)[] = [];
  readonly #signal?: StopSignal;
  /** The session's program is an object that was found valid when it was stored. */
  isProgramFoundValid = false;
  /** Of the container of the local object, if it is another than the default one. */
  policy?: StoragePolicy;
  #listings?: Map<string, Promise<ListingFiles>>;

  constructor(store: ObjectFiles, staging: Staging, signal?: StopSignal) {
    this.#signal = signal;
    this.#store = store;
    this.#staging = staging;
  }

  /** `objectNotFound` and `containerNotFound` with ZeroCloud's sentences, `objectIsLink`, `objectIsManifest`, `stagedNotFound`, `badArchive`. */
  async open(source: NodeSource, options: OpenOptions): Promise<OpenedSource> {
    if (source.kind === 'bytes') return { source, sizeBytes: source.data.byteLength };
    if (source.kind === 'staged') return { ...this.#openStaged(source.id), record: source.standsFor?.record };
    if (source.kind === 'container') {
      const { [source.form]: file } = await this.#openListing(source.path, options.maxListingBytes);
      return { source: { kind: 'file', ...file }, sizeBytes: file.sizeBytes };
    }
    const opened = await this.#store.openObject(source.path);
    if (!opened) throw await this.#missing(source.path, options.local);
    this.#closers.push(() => opened.close());
    const { record } = opened;
    if (record.metadata[linkTargetName] !== undefined) throw isLink(source.path);
    if (isManifest(record)) throw notOneObject(source.path);
    if (options.image && record.contentType.split(';', 1)[0]!.trim() === gzipType) {
      return { ...(await this.#inflated(opened, options.image.maxBytes)), record };
    }
    const path = this.#store.findBodyFile(opened);
    if (path === undefined) {
      const data = (await opened.read()) as Buffer;
      return { source: { kind: 'bytes', data }, sizeBytes: data.length, identity: record.bodyId, record };
    }
    const { sizeBytes } = record;
    return { source: { kind: 'file', path, sizeBytes }, sizeBytes, identity: record.bodyId, record };
  }

  close(): void {
    for (const close of this.#closers) close();
  }

  /** Both forms of a listing are written in one go, so that a guest finds the same objects in them. */
  #openListing(path: ContainerPath, maxBytes: number): Promise<ListingFiles> {
    const key = `${path.account}/${path.container}`;
    this.#listings ??= new Map();
    let listing = this.#listings.get(key);
    if (!listing) {
      const options = { stagingPath: () => this.#store.stagingPath(), maxBytes, signal: this.#signal };
      listing = writeListing(this.#store, path, options).then(
        (files) => {
          this.#closers.push(files.remove);
          return files;
        },
        (error) => {
          if (!isStorageError(error, 'containerNotFound')) throw error;
          throw new StorageError('containerNotFound', `Error while fetching /${key}`);
        },
      );
      this.#listings.set(key, listing);
    }
    return listing;
  }

  async #inflated(opened: OpenObject, maxBytes: number): Promise<OpenedSource> {
    const { bodyId } = opened.record;
    const staged = await this.#staging.inflated.open(bodyId, () => chunksOf(opened), maxBytes);
    this.#closers.push(() => staged.close());
    return { source: staged.source, sizeBytes: sizeOf(staged.source), identity: `${bodyId}:inflated` };
  }

  #openStaged(id: string): OpenedSource {
    const staged = this.#staging.open(id);
    this.#closers.push(() => staged.close());
    const { source } = staged;
    return { source, sizeBytes: sizeOf(source), identity: id };
  }

  async #missing(path: ObjectPath, local: boolean): Promise<StorageError> {
    const text = `/${path.account}/${path.container}/${path.object}`;
    if (local && !(await this.#store.findContainer(path))) {
      return new StorageError('containerNotFound', `Error while fetching ${text}`);
    }
    return new StorageError('objectNotFound', `Error 404 Not Found while fetching ${text}`);
  }
}

/** Who may read what it stands for is for the caller to find out. */
function isLink({ account, container, object }: ObjectPath): StorageError {
  return new StorageError('objectIsLink', `/${account}/${container}/${object} is a symlink`);
}

function sizeOf(source: ByteSource): number {
  return source.kind === 'bytes' ? source.data.byteLength : source.sizeBytes;
}

async function* chunksOf(opened: OpenObject): AsyncGenerator<Uint8Array> {
  const body = await opened.read();
  if (Buffer.isBuffer(body)) yield body;
  else yield* body;
}

function isManifest({ metadata }: ObjectRecord): boolean {
  return metadata[manifestNames.static] !== undefined || metadata[manifestNames.dynamic] !== undefined;
}

function notOneObject({ account, container, object }: ObjectPath): StorageError {
  return new StorageError('objectIsManifest', `/${account}/${container}/${object} is a large object`);
}
