import type { Readable } from 'node:stream';

/**
 * The contract of a store: accounts hold containers, containers hold objects. `test/contract/object-store.ts` is
 * the same contract as tests; every implementation passes it.
 *
 * - A resolved write is durable (synced) and visible to every later read and listing; objects of a container with the
 *   policy `relaxed` become durable within a second.
 * - Writes keep what they replace where the container says so (`Versioning`, `Archive`): in the same step, by whatever
 *   way they come, without copying a byte. `archiveNotFound` if it has nowhere to go.
 * - Counters of accounts and containers are exact at every moment.
 * - Names are any UTF-8 text without NUL; the caller has checked lengths and Swift's rules.
 * - Metadata are opaque pairs with lower-case names; their meaning (ACLs, quotas …) belongs to the caller.
 * - Times are Swift timestamps: seconds since the epoch with exactly five decimals, `1700000000.12345`.
 * - Expected failures are `StorageError`s from `errors.ts`; anything else is a fault of the host.
 */

export type Metadata = Record<string, string>;

/** `undefined` metadata values in an update remove the pair. */
export type MetadataUpdate = Record<string, string | undefined>;

/** What an update may make of the user's own pairs (`x-<owner>-meta-…`), those that are there already among them. */
export interface MetadataLimits {
  maxMetaCount: number;
  /** Bytes of names, without what they begin with, and values. */
  maxMetaOverallSize: number;
}

export interface AccountUpdate {
  timestamp: string;
  metadata: MetadataUpdate;
  limits?: MetadataLimits;
}

/** What is counted of an account, or of its containers of one storage policy. */
export interface AccountCounters {
  containerCount: number;
  /** Objects, and versions kept beside them. */
  objectCount: number;
  bytesUsed: number;
}

export interface AccountRecord extends AccountCounters {
  createdAt: string;
  metadata: Metadata;
  /** The share of its containers that are of another policy than the default one, by policy. */
  policies?: Partial<Record<StoragePolicy, AccountCounters>>;
}

/** A policy other than the default one. `relaxed`: changes of objects are durable within a second after they are visible. */
export type StoragePolicy = 'relaxed';

/**
 * What happens to an object that is replaced or deleted. `enabled`: every write makes a version with an id of its own, and
 * the one before stays beside it; deleting leaves a delete marker as the newest. `suspended`: as without, but versions
 * that are there stay.
 */
export type Versioning = 'enabled' | 'suspended';

/**
 * Swift's older versioning: a replaced object moves to another container of the account, as
 * `<length of its name, three hex digits><name>/<its timestamp>`. Deleting brings the newest back (`stack`), or moves the
 * object and adds a delete marker (`history`).
 */
export interface Archive {
  container: string;
  mode: 'stack' | 'history';
}

export interface ContainerRecord {
  createdAt: string;
  /** Last change of the container's own metadata. */
  putAt: string;
  /** Without versions beside them. */
  objectCount: number;
  /** With all versions. */
  bytesUsed: number;
  /** Versions beside the current objects, delete markers among them; absent: none. */
  versionCount?: number;
  metadata: Metadata;
  versioning?: Versioning;
  archive?: Archive;
  /** Set when the container is created; absent: the default one. */
  policy?: StoragePolicy;
}

/** What of a container the store acts on. Absent: unchanged; null: not any more. `policyConflict` for versions kept in two ways. */
export interface ContainerSettings {
  versioning?: Versioning;
  archive?: Archive | null;
  /** Of a new container; `policyConflict` for another one than an existing container has. */
  policy?: StoragePolicy | null;
}

export interface ContainerUpdate extends AccountUpdate {
  settings?: ContainerSettings;
}

export interface ObjectRecord {
  /** X-Timestamp: when the object or its metadata was last written. */
  timestamp: string;
  /** Identity of the content: a new body gets a new id, a copy or a metadata change keeps it. */
  bodyId: string;
  sizeBytes: number;
  /** md5 of the body, lower-case hex. */
  etag: string;
  contentType: string;
  /** x-object-meta-*, content-encoding, content-disposition, x-object-sysmeta-*, … */
  metadata: Metadata;
  /** X-Delete-At in whole seconds since the epoch; from then on the object is not there. */
  deleteAt?: number;
  /**
   * Which version this is, in containers that have or had versioning: a timestamp, or what a reader sees of an object that
   * was written without versioning, `null` as text.
   */
  versionId?: string;
}

/** The version of an object that has no id. */
export const nullVersion = 'null';

/** Content type of a delete marker, as in Swift. */
export const deleteMarkerType = 'application/x-deleted;swift_versions_deleted=1';

/** The body of delete markers: no bytes, kept nowhere. */
export const noBodyId = '';

/** A version that says that the object was deleted. */
export function isDeleteMarker({ bodyId }: Pick<ObjectRecord, 'bodyId'>): boolean {
  return bodyId === noBodyId;
}

/** Metadata of an object that stands for another one: `<container>/<object>`, percent-encoded. Sessions do not read it. */
export const linkTargetName = 'x-object-sysmeta-symlink-target';

/** Metadata of manifests, which stand for many objects: of a static one its etag, of a dynamic one `<container>/<prefix>`. */
export const manifestNames = { static: 'x-object-sysmeta-slo-etag', dynamic: 'x-object-manifest' } as const;

export interface ContainerPath {
  account: string;
  container: string;
}

export interface ObjectPath extends ContainerPath {
  object: string;
  /** That version of it, or `nullVersion`: where an object is read, copied from, deleted or restored. Absent: the current one. */
  versionId?: string;
}

export interface ListQuery {
  /** At most this many entries (subdirs included). */
  limit: number;
  /** Only names after this one (before it, when `reverse`). */
  marker?: string;
  endMarker?: string;
  prefix?: string;
  /** Names are rolled up after the first delimiter behind the prefix. May be longer than one character. */
  delimiter?: string;
  reverse?: boolean;
}

export interface ObjectListQuery extends ListQuery {
  /** Swift's `path`: the objects directly below this pseudo-directory; excludes prefix and delimiter. */
  path?: string;
}

export interface ContainerEntry {
  name: string;
  objectCount: number;
  bytesUsed: number;
  /** Timestamp shown as `last_modified`. */
  putAt: string;
}

export interface ObjectEntry {
  name: string;
  sizeBytes: number;
  etag: string;
  contentType: string;
  timestamp: string;
  metadata: Metadata;
  /** As in its record; absent for an object that was written without versioning. */
  versionId?: string;
}

export interface SubdirEntry {
  subdir: string;
}

/** Versions are listed by name, those of one object newest first (last when `reverse`), `nullVersion` before others. */
export interface VersionListQuery extends ListQuery {
  /** With `marker`: only versions of the marker's object behind this one, and what comes after. */
  versionMarker?: string;
}

export interface VersionEntry extends ObjectEntry {
  /** `nullVersion` for an object without id. */
  versionId: string;
  /** The current object, or the delete marker that stands for it. */
  isLatest: boolean;
  isDeleteMarker: boolean;
}

/** What `deleteObject` did where versions are kept. */
export interface DeletedObject {
  /** False: there was no object, and only the delete marker is new. */
  existed: boolean;
  /** The id of the delete marker that was added. */
  markerId?: string;
  /** After the deletion of one version: the id of what is current now, if anything is (`nullVersion` without id). */
  currentVersionId?: string;
}

export interface ByteRange {
  /** First byte, counted from 0. */
  start: number;
  /** Last byte, inclusive. */
  end: number;
}

/** An object opened for reading. Its body stays readable, whatever happens to the name, until `close`. */
export interface OpenObject {
  readonly record: ObjectRecord;
  /** The whole body or one range of it; a Buffer when the body is small and at hand, else a stream. May be called again. */
  read(range?: ByteRange): Promise<Buffer | Readable>;
  /** Must be called once when done, also after errors; running streams end by themselves. */
  close(): void;
}

/**
 * Another object of the account that a write depends on, in the same step: it is refused with `requirementNotMet` unless
 * the object is there as it was seen. So what is made of several objects needs no lock, however many proxies make it.
 */
export interface RequiredObject {
  container: string;
  object: string;
  /** Metadata that it must have; an empty value means none of this name. */
  metadata: Metadata;
  /** What the write does to it: it goes, or gets these metadata besides its own. */
  becomes: 'deleted' | Metadata;
}

export interface PutObjectOptions {
  timestamp: string;
  contentType: string;
  metadata: Metadata;
  deleteAt?: number;
  /** Declared length; a body that ends early or runs over is refused with `bodyLengthMismatch`. */
  contentLength?: number;
  /** Refuse with `objectTooLarge` once more has arrived. */
  maxBytes: number;
  /** Expected md5; another one is refused with `etagMismatch` and nothing is stored. */
  etag?: string;
  /** `If-None-Match: *`: refuse with `objectExists` if the name is taken (checked before the body is read, and again at commit). */
  ifAbsent?: boolean;
  /** Looked at when the body has arrived. */
  requires?: RequiredObject;
}

export interface CopyObjectOptions {
  timestamp: string;
  /** The record the caller saw; `objectNotFound` if the source has another body by now. */
  sourceBodyId: string;
  contentType: string;
  metadata: Metadata;
  deleteAt?: number;
  ifAbsent?: boolean;
  requires?: RequiredObject;
}

export interface AppendObjectOptions {
  timestamp: string;
  /** Of a new object; one that is there keeps its own, and its metadata. */
  contentType: string;
}

export interface UpdateObjectOptions {
  timestamp: string;
  /** Replaces all metadata but `x-object-sysmeta-*`, as Swift's POST does. */
  metadata: Metadata;
  /** Unchanged when absent. */
  contentType?: string;
  /** The new expiry; absent removes one. */
  deleteAt?: number;
  /** `x-object-sysmeta-*` that change besides; the others stay. */
  systemMetadata?: Metadata;
  /** The content the caller saw; `objectNotFound` if the object has another by now. */
  bodyId?: string;
}

/** A finished file that becomes an object's body by rename (or bytes, when small), for outputs of sessions. */
export type FinishedBody =
  | { kind: 'bytes'; data: Uint8Array; md5?: string }
  | { kind: 'file'; path: string; sizeBytes: number; md5?: string };

export interface ObjectStore {
  /** Creates the account or merges metadata into it. `created` is false if it was there. `badMetadata`, `accountDeleted` while a deleted one is not yet reaped. */
  putAccount(account: string, options: AccountUpdate): Promise<{ created: boolean }>;
  findAccount(account: string): Promise<AccountRecord | undefined>;
  /** True after `deleteAccount`, until the account is put again by a caller that may. */
  isAccountDeleted(account: string): Promise<boolean>;
  /** Merges metadata; `accountNotFound`, `badMetadata` for more than the limits. */
  updateAccount(account: string, options: AccountUpdate): Promise<void>;
  /** Marks the account deleted; its containers and objects become unreachable at once and are reaped in the background. `accountNotFound`, also for a deleted one. */
  deleteAccount(account: string): Promise<void>;
  /** Empty for an account that is not there. */
  listContainers(account: string, query: ListQuery): Promise<(ContainerEntry | SubdirEntry)[]>;

  /** Creates the container (and the account, if missing) or merges metadata into it. `badMetadata`, `policyConflict`, `accountDeleted` until a deleted account was put again. */
  putContainer(path: ContainerPath, options: ContainerUpdate): Promise<{ created: boolean }>;
  findContainer(path: ContainerPath): Promise<ContainerRecord | undefined>;
  /** Merges metadata; `containerNotFound`, `badMetadata`, `policyConflict`. */
  updateContainer(path: ContainerPath, options: ContainerUpdate): Promise<void>;
  /** `containerNotFound`, `containerNotEmpty`, `versionsLeft`. */
  deleteContainer(path: ContainerPath): Promise<void>;
  /** Entries in UTF-8 byte order (reversed on request). `containerNotFound`. */
  listObjects(path: ContainerPath, query: ObjectListQuery): Promise<(ObjectEntry | SubdirEntry)[]>;

  /** Every version beside the current objects, and these. `containerNotFound`. */
  listVersions(path: ContainerPath, query: VersionListQuery): Promise<(VersionEntry | SubdirEntry)[]>;

  /** With a version in the path, also a delete marker. */
  findObject(path: ObjectPath): Promise<ObjectRecord | undefined>;
  /** `unavailable` if the body was found damaged. */
  openObject(path: ObjectPath): Promise<OpenObject | undefined>;
  /**
   * Stores the body under the name when all of it has arrived. `containerNotFound`, and the refusals in
   * `PutObjectOptions`; `bodyAborted` if the iterator throws anything but a `StorageError`. Chunks are taken over: who
   * yields them must not change them. A refusal ends the iterator with `return()`, which destroys a plain stream;
   * who wants to answer on the same socket passes `request.iterator({ destroyOnReturn: false })`.
   */
  putObject(path: ObjectPath, body: AsyncIterable<Uint8Array>, options: PutObjectOptions): Promise<ObjectRecord>;
  /** A second name for the same bytes; nothing is copied. `objectNotFound`, `containerNotFound` (of the target), `objectExists`, `requirementNotMet`. */
  copyObject(source: ObjectPath, target: ObjectPath, options: CopyObjectOptions): Promise<ObjectRecord>;
  /**
   * Adds to the end of a small object, or makes one: in one step, so that of several writers none loses its part.
   * `containerNotFound`; `objectTooLarge` when it would not fit any more (64 KiB).
   */
  appendObject(path: ObjectPath, data: Uint8Array, options: AppendObjectOptions): Promise<ObjectRecord>;
  /** `objectNotFound`. */
  updateObject(path: ObjectPath, options: UpdateObjectOptions): Promise<ObjectRecord>;
  /**
   * Deletes the object, or what the container's versioning makes of that: see `Versioning` and `Archive`. With a version in
   * the path that one goes for good; if it was the current one, none is current then. `nullVersion`: the object is no
   * longer current; if it has an id it stays beside. `objectNotFound`, unless a version says that it was deleted; one that
   * had expired is gone then all the same.
   */
  deleteObject(path: ObjectPath, options: { timestamp: string }): Promise<DeletedObject>;
  /**
   * Makes the version in the path the current one; what was current stays beside it as after a PUT. With `ifAbsent` only where
   * no object is current: `objectExists`. `objectNotFound`, also for a delete marker.
   */
  restoreVersion(path: ObjectPath, options: { timestamp: string; ifAbsent?: boolean }): Promise<ObjectRecord>;

  close(): Promise<void>;
}
