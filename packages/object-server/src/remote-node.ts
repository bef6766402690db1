import type { StopSignal } from '@zerocloud/sandbox';
import { isStorageError, type StorageErrorCode } from './errors';
import { LeaseHolder, openRemoteObject } from './remote-object';
import type {
  NodeDaemon,
  NodeDescription,
  NodeGroup,
  NodeResult,
  NodeSession,
  StagedBody,
  StorageNode,
  ValidationOptions,
} from './storage-node';
import type {
  AccountRecord,
  AppendObjectOptions,
  ContainerEntry,
  ContainerPath,
  ContainerRecord,
  ContainerUpdate,
  CopyObjectOptions,
  DeletedObject,
  ListQuery,
  MetadataUpdate,
  ObjectEntry,
  ObjectListQuery,
  ObjectPath,
  ObjectRecord,
  OpenObject,
  PutObjectOptions,
  SubdirEntry,
  UpdateObjectOptions,
  VersionEntry,
  VersionListQuery,
} from './store/object-store';
import { NodeClient, type NodeClientOptions } from './wire/client';
import { optionsHeader, toHeader, toPath } from './wire/protocol';
import { decodeResult, decodeResults, encodeGroup, encodeSession } from './wire/session';

interface MetadataWrite {
  timestamp: string;
  metadata: MetadataUpdate;
}

/**
 * A storage node in another process, over the storage protocol (`wire/protocol.ts`). Only reads are tried again, and
 * only when a kept-alive connection turned out dead; a write whose answer was lost rejects as `unavailable`.
 */
export class RemoteNode implements StorageNode {
  readonly #client: NodeClient;
  readonly #leases: LeaseHolder;

  constructor(options: NodeClientOptions) {
    this.#client = new NodeClient(options);
    this.#leases = new LeaseHolder(this.#client);
  }

  putAccount(account: string, options: MetadataWrite): Promise<{ created: boolean }> {
    return this.#client.json('PUT', toPath('accounts', account), { body: encodeUpdate(options) });
  }

  findAccount(account: string): Promise<AccountRecord | undefined> {
    return this.#find<AccountRecord>(toPath('accounts', account), 'accountNotFound');
  }

  async isAccountDeleted(account: string): Promise<boolean> {
    const path = toPath('accounts', account, 'deleted');
    return (await this.#client.json<{ deleted: boolean }>('GET', path, { idempotent: true })).deleted;
  }

  updateAccount(account: string, options: MetadataWrite): Promise<void> {
    return this.#client.json('POST', toPath('accounts', account), { body: encodeUpdate(options) });
  }

  deleteAccount(account: string): Promise<void> {
    return this.#client.json('DELETE', toPath('accounts', account));
  }

  listContainers(account: string, query: ListQuery): Promise<(ContainerEntry | SubdirEntry)[]> {
    return this.#list(toPath('accounts', account, 'containers'), query);
  }

  putContainer({ account, container }: ContainerPath, options: ContainerUpdate): Promise<{ created: boolean }> {
    return this.#client.json('PUT', toPath('containers', account, container), { body: encodeUpdate(options) });
  }

  findContainer({ account, container }: ContainerPath): Promise<ContainerRecord | undefined> {
    return this.#find<ContainerRecord>(toPath('containers', account, container), 'containerNotFound');
  }

  updateContainer({ account, container }: ContainerPath, options: ContainerUpdate): Promise<void> {
    return this.#client.json('POST', toPath('containers', account, container), { body: encodeUpdate(options) });
  }

  deleteContainer({ account, container }: ContainerPath): Promise<void> {
    return this.#client.json('DELETE', toPath('containers', account, container));
  }

  listObjects({ account, container }: ContainerPath, query: ObjectListQuery): Promise<(ObjectEntry | SubdirEntry)[]> {
    return this.#list(toPath('containers', account, container, 'objects'), query);
  }

  listVersions(
    { account, container }: ContainerPath,
    query: VersionListQuery,
  ): Promise<(VersionEntry | SubdirEntry)[]> {
    return this.#list(toPath('containers', account, container, 'versions'), query);
  }

  findObject({ account, container, object, versionId }: ObjectPath): Promise<ObjectRecord | undefined> {
    return this.#find<ObjectRecord>(
      toPath('records', account, container, object) + version(versionId),
      'objectNotFound',
    );
  }

  openObject(path: ObjectPath): Promise<OpenObject | undefined> {
    return openRemoteObject(this.#client, this.#leases, path);
  }

  putObject(path: ObjectPath, body: AsyncIterable<Uint8Array>, options: PutObjectOptions): Promise<ObjectRecord> {
    return this.#client.upload('PUT', objectPath(path), { [optionsHeader]: toHeader(options) }, body);
  }

  copyObject(source: ObjectPath, target: ObjectPath, options: CopyObjectOptions): Promise<ObjectRecord> {
    return this.#client.json('POST', toPath('copies'), { body: JSON.stringify({ source, target, options }) });
  }

  appendObject(path: ObjectPath, data: Uint8Array, options: AppendObjectOptions): Promise<ObjectRecord> {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
    return this.#client.json('POST', toPath('appends'), { body: JSON.stringify({ path, data: text, options }) });
  }

  updateObject(path: ObjectPath, options: UpdateObjectOptions): Promise<ObjectRecord> {
    return this.#client.json('POST', objectPath(path), { body: JSON.stringify(options) });
  }

  deleteObject(path: ObjectPath, options: { timestamp: string }): Promise<DeletedObject> {
    const target = objectPath(path) + version(path.versionId);
    return this.#client.json('DELETE', target, { headers: { [optionsHeader]: toHeader(options) } });
  }

  restoreVersion(path: ObjectPath, options: { timestamp: string; ifAbsent?: boolean }): Promise<ObjectRecord> {
    return this.#client.json('POST', toPath('restores'), { body: JSON.stringify({ path, options }) });
  }

  stageBody(body: AsyncIterable<Uint8Array>, options: { maxBytes: number; inflate?: boolean }): Promise<StagedBody> {
    return this.#client.upload('POST', toPath('staged'), { [optionsHeader]: toHeader(options) }, body);
  }

  releaseBody(id: string): Promise<void> {
    return this.#client.json('DELETE', toPath('staged', id));
  }

  async runSession(request: NodeSession, { signal }: { signal?: StopSignal } = {}): Promise<NodeResult> {
    const body = encodeSession(request);
    const response = await this.#client.request('POST', toPath('sessions'), { body, signal, patient: true });
    try {
      return await decodeResult(response);
    } catch (error) {
      response.destroy();
      throw signal?.aborted ? signal.reason : error;
    }
  }

  async runGroup(group: NodeGroup, { signal }: { signal?: StopSignal } = {}): Promise<NodeResult[]> {
    const body = encodeGroup(group);
    const response = await this.#client.request('POST', toPath('groups'), { body, signal, patient: true });
    try {
      return await decodeResults(response);
    } catch (error) {
      response.destroy();
      throw signal?.aborted ? signal.reason : error;
    }
  }

  async validateProgram(path: ObjectPath, options: ValidationOptions): Promise<boolean> {
    const body = JSON.stringify({ path, options });
    const response = this.#client.json<{ valid: boolean }>('POST', toPath('validations'), { body, patient: true });
    return (await response).valid;
  }

  describe(): Promise<NodeDescription> {
    return this.#client.json('GET', toPath('node'), { idempotent: true });
  }

  listDaemons(account: string): Promise<NodeDaemon[]> {
    return this.#client.json('GET', toPath('accounts', account, 'daemons'), { idempotent: true });
  }

  /** Ends the connections; the object server itself goes on. */
  async close(): Promise<void> {
    await this.#leases.close();
    this.#client.close();
  }

  async #find<T>(path: string, absent: StorageErrorCode): Promise<T | undefined> {
    try {
      return await this.#client.json<T>('GET', path, { idempotent: true });
    } catch (error) {
      if (isStorageError(error, absent)) {
        return undefined;
      }
      throw error;
    }
  }

  #list<T>(path: string, query: ObjectListQuery | VersionListQuery): Promise<T[]> {
    return this.#client.json('GET', `${path}?query=${encodeURIComponent(JSON.stringify(query))}`, { idempotent: true });
  }
}

function objectPath({ account, container, object }: ObjectPath): string {
  return toPath('objects', account, container, object);
}

/** Which version of an object a request is about. */
function version(versionId: string | undefined): string {
  return versionId === undefined ? '' : `?version=${encodeURIComponent(versionId)}`;
}

/** JSON drops `undefined`, which in metadata means "remove"; it travels as null. */
function encodeUpdate({ metadata, ...options }: ContainerUpdate): string {
  const pairs = Object.entries(metadata).map(([name, value]) => [name, value ?? null]);
  return JSON.stringify({ ...options, metadata: Object.fromEntries(pairs) });
}
