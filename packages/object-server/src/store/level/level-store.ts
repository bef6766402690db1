import { StorageError } from '../../errors';
import type { BodyFiles, FinishedObjectOptions } from '../body-files';
import type {
  AccountRecord,
  AccountUpdate,
  AppendObjectOptions,
  ContainerEntry,
  ContainerPath,
  ContainerRecord,
  ContainerUpdate,
  CopyObjectOptions,
  DeletedObject,
  FinishedBody,
  ListQuery,
  Metadata,
  ObjectEntry,
  ObjectListQuery,
  ObjectPath,
  ObjectRecord,
  ObjectStore,
  OpenObject,
  PutObjectOptions,
  SubdirEntry,
  UpdateObjectOptions,
  VersionEntry,
  VersionListQuery,
} from '../object-store';
import {
  accountDeleted,
  accountNotFound,
  countContainer,
  newAccount,
  newContainer,
  putAccountRow,
  putContainerRow,
} from './account-changes';
import { appendBody } from './append-body';
import { BlobFiles } from './blob-files';
import { BodyCommit, containerChanged } from './body-commit';
import { commitTarget, readDeletedAccounts } from './commit-target';
import { CommittedRows, findVersionRow } from './committed-rows';
import { claimDataDirectory } from './data-directory';
import { Database } from './database';
import { deleteObject } from './delete-object';
import { receiveFinishedBody } from './finished-body';
import { FreeSpace } from './free-space';
import { GroupCommit, type Transaction } from './group-commit';
import { accountKey, containerKey, containersPrefix, deletedAccountKey, objectKey, objectsPrefix } from './keys';
import { containerEntry, objectEntry } from './listed-entries';
import { listPage } from './listing';
import { Maintenance } from './maintenance';
import {
  containerNotFound,
  getContainer,
  isExpired,
  makeRecord,
  objectNotFound,
  setObject,
  shareBody,
} from './object-changes';
import { checkReachable, checkTarget, getObject } from './object-checks';
import { OpenBlob } from './open-object';
import { type ReceivedBody, type ReceiveOptions, receiveBody } from './receive-body';
import { recoverRelaxed } from './relaxed-recovery';
import { RelaxedSync } from './relaxed-sync';
import { meetRequirement } from './required-object';
import { accounts, containers, marks, mergeMetadata, objects } from './rows';
import type { Log, StoreParts } from './store-parts';
import { listVersionPage } from './version-listing';
import { getRelaxing, putCurrent, restoreVersion, type Versions } from './versions';

export interface LevelStoreOptions {
  /** Directory that holds everything; created if missing. */
  dataDir: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Called with one line per notable event. */
  log?: Log;
  /** False gives up durability for speed; for tests only. */
  fsync?: boolean;
  /** Milliseconds between two looks for expired objects. */
  expirerIntervalMs?: number;
  /** How fast the auditor re-reads stored bodies. */
  auditorBytesPerSecond?: number;
  /** Free disk space that bodies must leave, so that deleting stays possible. */
  reservedBytes?: number;
  /** Milliseconds after which relaxed writes are made durable. */
  relaxedSyncMs?: number;
}

/**
 * Opens the store in `dataDir`, or makes one there, and starts its background work. Rejects with a sentence that
 * says what to do if the directory is in use, not ours, or of another format.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { dataDir, now = Date.now, log = () => {}, fsync = true } = options;
  await claimDataDirectory(dataDir);
  const database = await Database.open(dataDir, { sync: fsync });
  try {
    const onError = (err: unknown) => log({ err }, 'a blob file could not be removed');
    const files = new BlobFiles(dataDir, { sync: fsync, onError });
    await files.prepare();
    const deletedAccounts = new Set(await readDeletedAccounts(database));
    const target = commitTarget({ database, deletedAccounts, relaxed: () => relaxed });
    const commits = new GroupCommit(target, () => relaxed.noteWrite());
    const space = new FreeSpace(dataDir, options.reservedBytes ?? 64 * 1024 * 1024);
    const withoutRelaxed = { database, files, commits, space, deletedAccounts, now, log, sync: fsync };
    const relaxed: RelaxedSync = new RelaxedSync(withoutRelaxed, options.relaxedSyncMs ?? 1000);
    const parts: StoreParts = { ...withoutRelaxed, relaxed };
    await recoverRelaxed(withoutRelaxed);
    const maintenance = new Maintenance(parts);
    maintenance.start({
      expirerIntervalMs: options.expirerIntervalMs ?? 60_000,
      auditorBytesPerSecond: options.auditorBytesPerSecond ?? 10_000_000,
    });
    return new LevelStore(parts, maintenance);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** `ObjectStore` over LevelDB and blob files; the store of a single node. */
export class LevelStore implements ObjectStore, BodyFiles {
  readonly #parts: StoreParts;
  readonly #rows: CommittedRows;
  readonly #bodies: BodyCommit;
  /** Background work; `runNow` does what is due at once. */
  readonly maintenance: Maintenance;

  /** Use `openLevelStore`. */
  constructor(parts: StoreParts, maintenance: Maintenance) {
    this.#parts = parts;
    this.#rows = new CommittedRows(parts);
    this.#bodies = new BodyCommit(parts);
    this.maintenance = maintenance;
  }

  // Accounts

  putAccount(account: string, options: AccountUpdate): Promise<{ created: boolean }> {
    return this.#parts.commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (row?.fate === 'deleted') throw accountDeleted();
      const created = row === undefined || row.fate !== undefined;
      putAccountRow(tx, account, created ? newAccount(options.timestamp) : row, options);
      return { created };
    });
  }

  async findAccount(account: string): Promise<AccountRecord | undefined> {
    await this.#rows.ready();
    const row = this.#rows.findAccount(account);
    return row?.fate ? undefined : row;
  }

  async isAccountDeleted(account: string): Promise<boolean> {
    await this.#rows.ready();
    return this.#rows.findAccount(account)?.fate !== undefined;
  }

  updateAccount(account: string, options: AccountUpdate): Promise<void> {
    return this.#parts.commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (!row || row.fate) throw accountNotFound();
      putAccountRow(tx, account, row, options);
    });
  }

  deleteAccount(account: string): Promise<void> {
    return this.#parts.commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (!row || row.fate) throw accountNotFound();
      tx.put(accounts, accountKey(account), { ...row, fate: 'deleted' });
      tx.put(marks, deletedAccountKey(account), '');
      tx.afterCommit(() => this.#parts.deletedAccounts.add(account));
    });
  }

  async listContainers(account: string, query: ListQuery): Promise<(ContainerEntry | SubdirEntry)[]> {
    await this.#rows.ready();
    if (this.#parts.deletedAccounts.has(account)) return [];
    return listPage(
      this.#parts.database.level,
      containersPrefix(account),
      { ...query, path: undefined },
      containerEntry,
    );
  }

  // Containers

  putContainer(path: ContainerPath, options: ContainerUpdate): Promise<{ created: boolean }> {
    return this.#parts.commits.commit((tx) => {
      const account = tx.find(accounts, accountKey(path.account)) ?? newAccount(options.timestamp);
      if (account.fate) throw accountDeleted();
      const found = tx.find(containers, containerKey(path));
      const container = found ?? newContainer(options.timestamp, options.settings?.policy);
      if (!found) countContainer(tx, path.account, account, container, 1);
      putContainerRow(tx, path, container, options);
      return { created: !found };
    });
  }

  async findContainer(path: ContainerPath): Promise<ContainerRecord | undefined> {
    await this.#rows.ready();
    return this.#rows.findContainer(path);
  }

  updateContainer(path: ContainerPath, options: ContainerUpdate): Promise<void> {
    return this.#parts.commits.commit((tx) => putContainerRow(tx, path, getContainer(tx, path).container, options));
  }

  deleteContainer(path: ContainerPath): Promise<void> {
    return this.#parts.commits.commit((tx) => {
      const { container, account } = getContainer(tx, path);
      if (container.versionCount) throw new StorageError('versionsLeft', 'The container holds older versions.');
      if (container.objectCount > 0) throw new StorageError('containerNotEmpty', 'The container is not empty.');
      tx.remove(containers, containerKey(path));
      countContainer(tx, path.account, account, container, -1);
    });
  }

  async listObjects(path: ContainerPath, query: ObjectListQuery): Promise<(ObjectEntry | SubdirEntry)[]> {
    await this.#rows.ready();
    if (!this.#rows.findContainer(path)) throw containerNotFound();
    return listPage(this.#parts.database.level, objectsPrefix(path), query, objectEntry);
  }

  async listVersions(path: ContainerPath, query: VersionListQuery): Promise<(VersionEntry | SubdirEntry)[]> {
    await this.#rows.ready();
    if (!this.#rows.findContainer(path)) throw containerNotFound();
    return listVersionPage(this.#parts.database, path, query, this.#parts.now());
  }

  // Objects

  async findObject(path: ObjectPath): Promise<ObjectRecord | undefined> {
    await this.#rows.ready();
    return this.#rows.findObject(path);
  }

  async openObject(path: ObjectPath): Promise<OpenObject | undefined> {
    await this.#rows.ready();
    return this.#rows.openObject(path);
  }

  async putObject(path: ObjectPath, body: AsyncIterable<Uint8Array>, options: PutObjectOptions): Promise<ObjectRecord> {
    await this.#rows.ready();
    checkTarget(this.#parts.commits.peek, path, options, this.#parts.now());
    await this.#parts.space.check(options.contentLength ?? 0);
    const { contentLength, maxBytes, etag } = options;
    const received = await receiveBody(body, { contentLength, maxBytes, etag, ...this.#receiving(path) });
    return this.#storeBody(path, received, options);
  }

  async copyObject(source: ObjectPath, target: ObjectPath, options: CopyObjectOptions): Promise<ObjectRecord> {
    const { relaxed } = this.#parts;
    const isUnsynced = () => relaxed.isUnsynced(options.sourceBodyId);
    // As with uploads; and what is durable here must not share a body with what is not yet.
    if (isUnsynced() && (!this.#isRelaxed(target) || this.#isTaken(target))) await relaxed.flush();
    return this.#parts.commits.commit((tx) => {
      getContainer(tx, source);
      const original = findVersionRow(tx.find, source, this.#parts.now());
      if (!original || original.bodyId !== options.sourceBodyId) throw objectNotFound();
      checkTarget(tx.find, target, options, this.#parts.now());
      if (options.requires) meetRequirement(this.#versions(tx), target.account, options.requires, options.timestamp);
      shareBody(tx, original.bodyId);
      const { bodyId, sizeBytes, etag } = original;
      const record = putCurrent(this.#versions(tx), target, makeRecord({ bodyId, sizeBytes, etag }, options));
      if (!tx.isRelaxed && isUnsynced()) throw containerChanged();
      return record;
    });
  }

  async appendObject(path: ObjectPath, data: Uint8Array, options: AppendObjectOptions): Promise<ObjectRecord> {
    await this.#parts.space.check(data.byteLength);
    let record: ObjectRecord | undefined;
    await this.#bodies.commitMade((tx, bodyId) => {
      checkTarget(tx.find, path, {}, this.#parts.now());
      const found = tx.find(objects, objectKey(path));
      const old = found && !isExpired(found, this.#parts.now()) ? found : undefined;
      const { body, etag } = appendBody(tx, old, data);
      const { contentType, metadata, deleteAt } = old ?? { ...options, metadata: {}, deleteAt: undefined };
      const { timestamp } = options;
      const made = makeRecord({ bodyId, sizeBytes: body.length, etag }, { timestamp, contentType, metadata, deleteAt });
      record = putCurrent(this.#versions(tx), path, made);
      return body;
    });
    return record!;
  }

  updateObject(path: ObjectPath, options: UpdateObjectOptions): Promise<ObjectRecord> {
    return this.#parts.commits.commit((tx) => {
      const record = getObject(tx, path, this.#parts.now());
      getRelaxing(tx, path);
      if (options.bodyId !== undefined && options.bodyId !== record.bodyId) throw objectNotFound();
      const kept = Object.entries(record.metadata).filter(([name]) => name.startsWith('x-object-sysmeta-'));
      const metadata = { ...mergeMetadata(options.metadata, Object.fromEntries(kept)), ...options.systemMetadata };
      const contentType = options.contentType ?? record.contentType;
      const updated = makeRecord(record, { ...options, metadata, contentType });
      setObject(tx, this.#parts.files, path, updated, { keepsBody: true });
      return updated;
    });
  }

  async deleteObject(path: ObjectPath, { timestamp }: { timestamp: string }): Promise<DeletedObject> {
    await this.#rows.ready();
    return deleteObject(this.#parts, path, timestamp);
  }

  restoreVersion(path: ObjectPath, options: { timestamp: string; ifAbsent?: boolean }): Promise<ObjectRecord> {
    return this.#parts.commits.commit((tx) => {
      checkReachable(tx, path);
      checkTarget(tx.find, path, options, this.#parts.now());
      return restoreVersion(this.#versions(tx), path, options.timestamp);
    });
  }

  // Body files

  stagingPath(): string {
    return this.#parts.files.stagingPath();
  }

  /** For bytes that are about to be written to a staged file; `insufficientStorage` when the disk has no room for them. */
  takeSpace(sizeBytes: number): Promise<void> | undefined {
    return this.#parts.space.take(sizeBytes);
  }

  findBodyFile(opened: OpenObject): string | undefined {
    return opened instanceof OpenBlob ? opened.path : undefined;
  }

  markObject(path: ObjectPath, bodyId: string, marks: Metadata): Promise<boolean> {
    return this.#parts.commits.commit((tx) => {
      const record = tx.find(objects, objectKey(path));
      if (record?.bodyId !== bodyId || !tx.find(containers, containerKey(path))) return false;
      if (tx.find(accounts, accountKey(path.account))?.fate) return false;
      const metadata = mergeMetadata(record.metadata, marks);
      setObject(tx, this.#parts.files, path, { ...record, metadata }, { keepsBody: true });
      return true;
    });
  }

  async putFinishedObject(path: ObjectPath, body: FinishedBody, options: FinishedObjectOptions): Promise<ObjectRecord> {
    return this.#storeBody(path, await receiveFinishedBody(body, this.#receiving(path)), options);
  }

  /** Settles what was committed before, then closes; operations after this are refused. */
  async close(): Promise<void> {
    await this.maintenance.stop();
    await this.#parts.relaxed.close();
    await this.#parts.commits.close();
    await this.#parts.files.removalsDone();
    await this.#parts.database.close();
  }

  /**
   * How a body for the name reaches the disk: in a relaxed container it is synced later, unless it replaces something. Its
   * record may be durable before it is, and a crash must not take both the old object and the new one.
   */
  #receiving(path: ObjectPath): Pick<ReceiveOptions, 'mustSync' | 'stagingPath' | 'takeSpace'> {
    return {
      mustSync: () => this.#parts.sync && (!this.#isRelaxed(path) || this.#isTaken(path)),
      stagingPath: () => this.stagingPath(),
      takeSpace: (sizeBytes) => this.takeSpace(sizeBytes),
    };
  }

  #isRelaxed(path: ContainerPath): boolean {
    return this.#parts.commits.peek(containers, containerKey(path))?.policy === 'relaxed';
  }

  #isTaken(path: ObjectPath): boolean {
    return this.#parts.commits.peek(objects, objectKey(path)) !== undefined;
  }

  #versions(tx: Transaction): Versions {
    return { tx, files: this.#parts.files, nowMs: this.#parts.now() };
  }

  async #storeBody(
    path: ObjectPath,
    body: ReceivedBody,
    options: FinishedObjectOptions & Pick<PutObjectOptions, 'ifAbsent' | 'requires'>,
  ): Promise<ObjectRecord> {
    const { sizeBytes, etag } = body;
    let record: ObjectRecord | undefined;
    await this.#bodies.commit(body, (tx, bodyId) => {
      checkTarget(tx.find, path, options, this.#parts.now());
      if (options.requires) meetRequirement(this.#versions(tx), path.account, options.requires, options.timestamp);
      record = putCurrent(this.#versions(tx), path, makeRecord({ bodyId, sizeBytes, etag }, options));
    });
    return record!;
  }
}
