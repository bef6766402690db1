import { link } from 'node:fs/promises';
import { StorageError } from '../../errors';
import type { BodyFiles, FinishedObjectOptions } from '../body-files';
import type {
  AccountRecord,
  ContainerEntry,
  ContainerPath,
  ContainerRecord,
  CopyObjectOptions,
  FinishedBody,
  ListQuery,
  MetadataUpdate,
  ObjectEntry,
  ObjectListQuery,
  ObjectPath,
  ObjectRecord,
  ObjectStore,
  OpenObject,
  PutObjectOptions,
  SubdirEntry,
  UpdateObjectOptions,
} from '../object-store';
import { BlobFiles, isBlobId } from './blob-files';
import { Database } from './database';
import { receiveFinishedBody } from './finished-body';
import { GroupCommit, type Transaction } from './group-commit';
import {
  accountKey,
  blobKey,
  containerKey,
  containersPrefix,
  deletedAccountKey,
  deletedAccountRange,
  inlineBodyKey,
  objectKey,
  objectsPrefix,
} from './keys';
import { listPage } from './listing';
import {
  addBlob,
  addInlineBody,
  containerNotFound,
  getContainer,
  isExpired,
  objectNotFound,
  setObject,
  shareBody,
} from './object-changes';
import { OpenBlob, openInlineBody } from './open-object';
import { type ReceivedBody, receiveBody } from './receive-body';
import { type AccountRow, accounts, blobs, containers, marks, mergeMetadata, objects } from './rows';

export interface LevelStoreOptions {
  /** Directory that holds everything; created if missing. */
  dataDir: string;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Called with one line per notable event. */
  log?: (event: Record<string, unknown>, message: string) => void;
  /** False gives up durability for speed; for tests only. */
  fsync?: boolean;
  expirerIntervalMs?: number;
}

/** Opens the store in `dataDir`, or makes one there. Rejects with a clear sentence if the directory is in use, not ours or of another format. */
export async function openLevelStore(options: LevelStoreOptions): Promise<LevelStore> {
  const { dataDir, now = Date.now, log = () => {}, fsync = true } = options;
  const files = new BlobFiles(dataDir, {
    sync: fsync,
    onError: (error) => log({ err: error }, 'a blob file could not be removed'),
  });
  const database = await Database.open(dataDir, { sync: fsync });
  await files.prepare();
  const store = new LevelStore(database, files, { now, fsync });
  await store.start();
  return store;
}

/** `ObjectStore` over LevelDB and blob files; the store of a single node. */
export class LevelStore implements ObjectStore, BodyFiles {
  readonly #database: Database;
  readonly #files: BlobFiles;
  readonly #commits: GroupCommit;
  readonly #now: () => number;
  /** How bodies reach the disk. */
  readonly #receiving: { sync: boolean; stagingPath(): string };
  /** Accounts whose contents are still there but out of reach. */
  readonly #deletedAccounts = new Set<string>();
  #ids = { prefix: '', next: 0 };

  /** Use `openLevelStore`. */
  constructor(database: Database, files: BlobFiles, options: { now: () => number; fsync: boolean }) {
    this.#database = database;
    this.#files = files;
    this.#commits = new GroupCommit(database);
    this.#now = options.now;
    this.#receiving = { sync: options.fsync, stagingPath: () => files.stagingPath() };
    this.#ids.prefix = `i${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8).padEnd(6, '0')}`;
  }

  async start(): Promise<void> {
    for await (const key of this.#database.level.keys(deletedAccountRange)) this.#deletedAccounts.add(key.slice(1));
  }

  // Accounts

  putAccount(account: string, options: { timestamp: string; metadata: MetadataUpdate }): Promise<{ created: boolean }> {
    return this.#commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (row?.fate === 'deleted') throw accountDeleted();
      const created = row === undefined || row.fate !== undefined;
      putAccountRow(tx, account, created ? newAccount(options.timestamp) : row, options.metadata);
      return { created };
    });
  }

  async findAccount(account: string): Promise<AccountRecord | undefined> {
    const row = this.#findStoredAccount(account);
    return row?.fate ? undefined : row;
  }

  async isAccountDeleted(account: string): Promise<boolean> {
    return this.#findStoredAccount(account)?.fate !== undefined;
  }

  updateAccount(account: string, options: { timestamp: string; metadata: MetadataUpdate }): Promise<void> {
    return this.#commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (!row || row.fate) throw accountNotFound();
      putAccountRow(tx, account, row, options.metadata);
    });
  }

  deleteAccount(account: string): Promise<void> {
    return this.#commits.commit((tx) => {
      const row = tx.find(accounts, accountKey(account));
      if (!row || row.fate) throw accountNotFound();
      tx.put(accounts, accountKey(account), { ...row, fate: 'deleted' });
      tx.put(marks, deletedAccountKey(account), '');
      tx.afterCommit(() => this.#deletedAccounts.add(account));
    });
  }

  async listContainers(account: string, query: ListQuery): Promise<(ContainerEntry | SubdirEntry)[]> {
    if (this.#deletedAccounts.has(account)) return [];
    return listPage(this.#database.level, containersPrefix(account), { ...query, path: undefined }, containerEntry);
  }

  // Containers

  putContainer(
    path: ContainerPath,
    options: { timestamp: string; metadata: MetadataUpdate },
  ): Promise<{ created: boolean }> {
    return this.#commits.commit((tx) => {
      const account = tx.find(accounts, accountKey(path.account)) ?? newAccount(options.timestamp);
      if (account.fate) throw accountDeleted();
      const container = tx.find(containers, containerKey(path));
      if (!container) {
        tx.put(accounts, accountKey(path.account), { ...account, containerCount: account.containerCount + 1 });
      }
      putContainerRow(tx, path, container ?? newContainer(options.timestamp), options);
      return { created: !container };
    });
  }

  async findContainer(path: ContainerPath): Promise<ContainerRecord | undefined> {
    return this.#findStored(path.account, containers, containerKey(path));
  }

  updateContainer(path: ContainerPath, options: { timestamp: string; metadata: MetadataUpdate }): Promise<void> {
    return this.#commits.commit((tx) => putContainerRow(tx, path, getContainer(tx, path).container, options));
  }

  deleteContainer(path: ContainerPath): Promise<void> {
    return this.#commits.commit((tx) => {
      const { container, account } = getContainer(tx, path);
      if (container.objectCount > 0) throw new StorageError('containerNotEmpty', 'The container is not empty.');
      tx.remove(containers, containerKey(path));
      tx.put(accounts, accountKey(path.account), { ...account, containerCount: account.containerCount - 1 });
    });
  }

  async listObjects(path: ContainerPath, query: ObjectListQuery): Promise<(ObjectEntry | SubdirEntry)[]> {
    if (!(await this.findContainer(path))) throw containerNotFound();
    return listPage(this.#database.level, objectsPrefix(path), query, objectEntry);
  }

  // Objects

  async findObject(path: ObjectPath): Promise<ObjectRecord | undefined> {
    return this.#findObject(path);
  }

  async openObject(path: ObjectPath): Promise<OpenObject | undefined> {
    for (;;) {
      const record = this.#findObject(path);
      if (!record) return undefined;
      if (isBlobId(record.bodyId)) return this.#openBlob(record);
      const data = this.#database.read(inlineBodyKey(record.bodyId), true);
      if (data) return openInlineBody(record, data as Buffer);
      // Replaced between the two reads, by a batch that was being written: there is a newer record now.
      const newer = this.#findObject(path);
      if (newer?.bodyId === record.bodyId) throw new Error(`body ${record.bodyId} is missing`);
    }
  }

  async putObject(path: ObjectPath, body: AsyncIterable<Uint8Array>, options: PutObjectOptions): Promise<ObjectRecord> {
    this.#checkTarget(this.#commits, path, options.ifAbsent);
    const { contentLength, maxBytes, etag } = options;
    return this.#storeBody(
      path,
      await receiveBody(body, { contentLength, maxBytes, etag, ...this.#receiving }),
      options,
    );
  }

  copyObject(source: ObjectPath, target: ObjectPath, options: CopyObjectOptions): Promise<ObjectRecord> {
    return this.#commits.commit((tx) => {
      getContainer(tx, source);
      const original = tx.find(objects, objectKey(source));
      if (!original || isExpired(original, this.#now())) throw objectNotFound();
      if (original.bodyId !== options.sourceBodyId) throw objectNotFound();
      this.#checkAbsent(tx, target, options.ifAbsent);
      shareBody(tx, original.bodyId);
      const record = makeRecord(original, options);
      setObject(tx, this.#files, target, record);
      return record;
    });
  }

  updateObject(path: ObjectPath, options: UpdateObjectOptions): Promise<void> {
    return this.#commits.commit((tx) => {
      const record = this.#getObject(tx, path);
      const kept = Object.entries(record.metadata).filter(([name]) => name.startsWith('x-object-sysmeta-'));
      const metadata = mergeMetadata(options.metadata, Object.fromEntries(kept));
      const contentType = options.contentType ?? record.contentType;
      const updated = makeRecord(record, { ...options, metadata, contentType });
      setObject(tx, this.#files, path, updated, { keepsBody: true });
    });
  }

  deleteObject(path: ObjectPath, _options: { timestamp: string }): Promise<void> {
    return this.#commits.commit((tx) => {
      this.#getObject(tx, path);
      setObject(tx, this.#files, path, undefined);
    });
  }

  // Body files

  stagingPath(): string {
    return this.#files.stagingPath();
  }

  findBodyFile(opened: OpenObject): string | undefined {
    return opened instanceof OpenBlob ? opened.path : undefined;
  }

  async linkBody(opened: OpenObject, targetPath: string): Promise<boolean> {
    const file = this.findBodyFile(opened);
    if (file === undefined) return false;
    await link(file, targetPath);
    return true;
  }

  async putFinishedObject(path: ObjectPath, body: FinishedBody, options: FinishedObjectOptions): Promise<ObjectRecord> {
    return this.#storeBody(path, await receiveFinishedBody(body, this.#receiving), options);
  }

  /** Settles what was committed before, then closes; operations after this are refused. */
  async close(): Promise<void> {
    await this.#commits.close();
    await this.#files.close();
    await this.#database.close();
  }

  #findStored<V>(account: string, table: { decode(stored: never): V }, key: string): V | undefined {
    if (this.#deletedAccounts.size > 0 && this.#deletedAccounts.has(account)) return undefined;
    const stored = this.#database.read(key, false);
    return stored === undefined ? undefined : table.decode(stored as never);
  }

  #findStoredAccount(account: string): AccountRow | undefined {
    const stored = this.#database.read(accountKey(account), false);
    return stored === undefined ? undefined : accounts.decode(stored as never);
  }

  #findObject(path: ObjectPath): ObjectRecord | undefined {
    const record = this.#findStored(path.account, objects, objectKey(path));
    return record && isExpired(record, this.#now()) ? undefined : record;
  }

  #getObject(tx: Transaction, path: ObjectPath): ObjectRecord {
    const account = tx.find(accounts, accountKey(path.account));
    const record = tx.find(objects, objectKey(path));
    if (!record || account?.fate || isExpired(record, this.#now())) throw objectNotFound();
    return record;
  }

  #openBlob(record: ObjectRecord): OpenObject {
    const stored = this.#database.read(blobKey(record.bodyId), false);
    if (stored !== undefined && blobs.decode(stored as never).quarantined) {
      throw new StorageError('unavailable', 'The stored data of this object were found damaged.');
    }
    return new OpenBlob(record, this.#files);
  }

  #checkTarget(state: { peek: Transaction['find'] }, path: ObjectPath, ifAbsent: boolean | undefined): void {
    const account = state.peek(accounts, accountKey(path.account));
    if (!account || account.fate || !state.peek(containers, containerKey(path))) throw containerNotFound();
    if (ifAbsent) this.#refuseIfTaken(state.peek(objects, objectKey(path)));
  }

  #checkAbsent(tx: Transaction, path: ObjectPath, ifAbsent: boolean | undefined): void {
    if (ifAbsent) this.#refuseIfTaken(tx.find(objects, objectKey(path)));
  }

  #refuseIfTaken(existing: ObjectRecord | undefined): void {
    if (existing && !isExpired(existing, this.#now())) {
      throw new StorageError('objectExists', 'An object of this name exists.');
    }
  }

  async #storeBody(
    path: ObjectPath,
    body: ReceivedBody,
    options: FinishedObjectOptions & { ifAbsent?: boolean },
  ): Promise<ObjectRecord> {
    const { sizeBytes, etag } = body;
    const bodyId = body.kind === 'inline' ? this.#inlineBodyId() : await this.#files.publish(body.path);
    const record = makeRecord({ bodyId, sizeBytes, etag }, options);
    const stored = this.#commits.commit((tx) => {
      this.#checkAbsent(tx, path, options.ifAbsent);
      if (body.kind === 'inline') addInlineBody(tx, bodyId, body.data);
      else addBlob(tx, bodyId, sizeBytes, etag);
      setObject(tx, this.#files, path, record);
    });
    if (body.kind === 'inline') await stored;
    else await this.#settleBlob(bodyId, stored);
    return record;
  }

  async #settleBlob(bodyId: string, stored: Promise<void>): Promise<void> {
    try {
      await stored;
    } catch (error) {
      // A batch that failed may have reached the disk all the same: what counts is what the next look finds.
      const isReferenced = await this.#commits
        .commit((tx) => tx.find(blobs, blobKey(bodyId)) !== undefined)
        .catch(() => true);
      this.#files.settle(bodyId, isReferenced);
      throw error;
    }
    this.#files.settle(bodyId, true);
  }

  /** Bodies written together lie together; the random part keeps ids of two runs apart. */
  #inlineBodyId(): string {
    return this.#ids.prefix + (this.#ids.next++).toString(36).padStart(8, '0');
  }
}

function makeRecord(
  body: Pick<ObjectRecord, 'bodyId' | 'sizeBytes' | 'etag'>,
  options: Pick<ObjectRecord, 'timestamp' | 'contentType' | 'metadata' | 'deleteAt'>,
): ObjectRecord {
  const { timestamp, contentType, metadata, deleteAt } = options;
  const { bodyId, sizeBytes, etag } = body;
  const record: ObjectRecord = { timestamp, bodyId, sizeBytes, etag, contentType, metadata };
  if (deleteAt !== undefined) record.deleteAt = deleteAt;
  return record;
}

function newAccount(createdAt: string): AccountRow {
  return { createdAt, containerCount: 0, objectCount: 0, bytesUsed: 0, metadata: {} };
}

function newContainer(createdAt: string): ContainerRecord {
  return { createdAt, putAt: createdAt, objectCount: 0, bytesUsed: 0, metadata: {} };
}

function putAccountRow(tx: Transaction, account: string, row: AccountRow, update: MetadataUpdate): void {
  tx.put(accounts, accountKey(account), { ...row, metadata: mergeMetadata(row.metadata, update) });
}

function putContainerRow(
  tx: Transaction,
  path: ContainerPath,
  record: ContainerRecord,
  { timestamp, metadata }: { timestamp: string; metadata: MetadataUpdate },
): void {
  const merged = mergeMetadata(record.metadata, metadata);
  tx.put(containers, containerKey(path), { ...record, putAt: timestamp, metadata: merged });
}

function containerEntry(name: string, stored: string): ContainerEntry {
  const { objectCount, bytesUsed, putAt } = containers.decode(stored as never);
  return { name, objectCount, bytesUsed, putAt };
}

function objectEntry(name: string, stored: string): ObjectEntry {
  const { sizeBytes, etag, contentType, timestamp, metadata } = objects.decode(stored as never);
  return { name, sizeBytes, etag, contentType, timestamp, metadata };
}

const accountNotFound = () => new StorageError('accountNotFound', 'The account does not exist.');
const accountDeleted = () => new StorageError('accountDeleted', 'The account was deleted recently.');
