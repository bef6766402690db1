import { createHash, randomUUID } from 'node:crypto';
import { closeSync, constants, createReadStream, createWriteStream, openSync, readSync, type Stats } from 'node:fs';
import { chmod, copyFile, link, mkdir, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type ContainerPath,
  type ContainerRecord,
  type FinishedBody,
  type FinishedObjectOptions,
  type ObjectPath,
  type ObjectRecord,
  type OpenObject,
  type PutObjectOptions,
  StorageError,
} from '@zerocloud/object-server';
import type { ObjectFiles } from '@zerocloud/object-server/execute/opened-sources';
import type { Listings } from '../jobs/plan';

export interface LocalFilesOptions {
  /** `swift://a/c/o` is `rootPath/a/c/o`. */
  rootPath: string;
  /** `swift://<any>/c/o` is `accountPath/c/o`; wins. */
  accountPath?: string;
  /** For temporary files. */
  workDir: string;
}

const chunkBytes = 1024 ** 2;

/**
 * Directories as a store: accounts and containers are directories, objects are files below them. What a session reads is
 * linked or copied first, once for all nodes, so that nothing about the user's files changes; what it writes replaces the
 * file when it is complete.
 */
export class LocalFiles implements ObjectFiles, Listings {
  private readonly staged = new Map<string, Promise<string>>();

  constructor(private readonly options: LocalFilesOptions) {}

  /** The file that an object is, or the directory of a container; nothing for names that would lead elsewhere. */
  findFile({ account, container, object }: ContainerPath & { object?: string }): string | undefined {
    const directory = this.findAccount(account);
    if (directory === undefined || container.includes('/')) return undefined;
    const names = object === undefined ? [container] : [container, ...object.split('/')];
    return names.every(isFileName) ? path.join(directory, ...names) : undefined;
  }

  private findAccount(account: string): string | undefined {
    const { accountPath, rootPath } = this.options;
    if (accountPath !== undefined) return accountPath;
    return isFileName(account) && !account.includes('/') ? path.join(rootPath, account) : undefined;
  }

  stagingPath(): string {
    return path.join(this.options.workDir, randomUUID());
  }

  async openObject(object: ObjectPath): Promise<OpenObject | undefined> {
    const file = this.findFile(object);
    const found = file === undefined ? undefined : await findStat(file);
    if (file === undefined || !found?.isFile()) return undefined;
    let staging = this.staged.get(file);
    if (!staging) {
      staging = this.stage(file, found.mode);
      this.staged.set(file, staging);
    }
    const copy = await staging;
    return new StagedObject(
      copy,
      createRecord(file, found, () => md5Of(copy)),
    );
  }

  findBodyFile(opened: OpenObject): string {
    return (opened as StagedObject).file;
  }

  async findContainer(container: ContainerPath): Promise<ContainerRecord | undefined> {
    const directory = this.findFile({ account: container.account, container: container.container });
    const found = directory === undefined ? undefined : await findStat(directory);
    if (!found?.isDirectory()) return undefined;
    const createdAt = timestampOf(found.mtimeMs);
    return { createdAt, putAt: createdAt, objectCount: 0, bytesUsed: 0, metadata: {} };
  }

  async putFinishedObject(object: ObjectPath, body: FinishedBody, _: FinishedObjectOptions): Promise<ObjectRecord> {
    try {
      const { file, stats } = await this.store(object, (partial) =>
        body.kind === 'bytes' ? writeFile(partial, body.data) : moveFile(body.path, partial),
      );
      return createRecord(file, stats, () => body.md5 ?? md5Of(file));
    } finally {
      if (body.kind === 'file') await rm(body.path, { force: true });
    }
  }

  async putObject(object: ObjectPath, body: AsyncIterable<Uint8Array>, _: PutObjectOptions): Promise<ObjectRecord> {
    const { file, stats } = await this.store(object, (partial) =>
      pipeline(Readable.from(body), createWriteStream(partial)),
    );
    return createRecord(file, stats, () => md5Of(file));
  }

  /** Nothing is known of a file but the file itself. */
  async markObject(): Promise<boolean> {
    return false;
  }

  async listObjects(): Promise<never> {
    throw new StorageError('unavailable', 'A container cannot be a device without a server');
  }

  async *containers(account: string, prefix: string): AsyncGenerator<string> {
    const directory = this.findAccount(account) ?? noListing();
    const entries = await readdir(directory, { withFileTypes: true }).catch(noListing);
    const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    yield* inByteOrder(names).filter((name) => name.startsWith(prefix));
  }

  async *objects(account: string, container: string, prefix: string): AsyncGenerator<string> {
    const directory = this.findFile({ account, container }) ?? noListing();
    const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(noListing);
    const names: string[] = [];
    for (const entry of entries) {
      const file = path.join(entry.parentPath ?? entry.path, entry.name);
      // As reading does, a listing follows symbolic links to files.
      if (entry.isFile() || (entry.isSymbolicLink() && (await findStat(file))?.isFile())) {
        names.push(path.relative(directory, file));
      }
    }
    yield* inByteOrder(names).filter((name) => name.startsWith(prefix));
  }

  /** A path of ours with the file's content. */
  private async stage(file: string, mode: number): Promise<string> {
    const target = this.stagingPath();
    // The sandbox makes readable for its own users what is not; then it must not be the user's file itself.
    if ((mode & 0o004) !== 0 && (await tryLink(file, target))) return target;
    await copyFile(file, target, constants.COPYFILE_FICLONE);
    await chmod(target, 0o600);
    return target;
  }

  private async store(
    object: ObjectPath,
    write: (partial: string) => Promise<unknown>,
  ): Promise<{ file: string; stats: Stats }> {
    const file = this.findFile(object);
    if (file === undefined) throw new StorageError('badMetadata', 'The name of an object is no file name');
    if (!(await this.findContainer(object))) throw new StorageError('containerNotFound', 'No such directory');
    await mkdir(path.dirname(file), { recursive: true });
    const before = await findStat(file);
    if (before && !before.isFile()) throw new StorageError('badMetadata', 'An output is a regular file');
    // Of a symbolic link, what it names is replaced.
    const target = before ? await realpath(file) : file;
    const partial = path.join(path.dirname(target), `.${randomUUID()}.part`);
    try {
      await write(partial);
      await chmod(partial, before ? before.mode & 0o777 : 0o666 & ~process.umask());
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    return { file, stats: await stat(file) };
  }
}

class StagedObject implements OpenObject {
  constructor(
    readonly file: string,
    readonly record: ObjectRecord,
  ) {}

  async read(range?: { start: number; end: number }): Promise<Readable> {
    return createReadStream(this.file, range);
  }

  /** The other nodes may need it; it goes with the work directory. */
  close(): void {}
}

function createRecord(file: string, { size, mtimeMs }: Stats, getEtag: () => string): ObjectRecord {
  return {
    timestamp: timestampOf(mtimeMs),
    bodyId: file,
    sizeBytes: size,
    // Reads the whole file, and only the co-located object's is asked for.
    get etag() {
      return getEtag();
    },
    contentType: /\.(gz|tgz)$/.test(file) ? 'application/x-gzip' : 'application/octet-stream',
    metadata: {},
  };
}

function isFileName(name: string): boolean {
  return !['', '.', '..'].includes(name) && !name.includes('\0');
}

function timestampOf(modifiedMs: number): string {
  return (modifiedMs / 1000).toFixed(5);
}

function md5Of(file: string): string {
  const hash = createHash('md5');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  const fd = openSync(file, 'r');
  try {
    for (let count = readSync(fd, chunk); count > 0; count = readSync(fd, chunk)) hash.update(chunk.subarray(0, count));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

async function findStat(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(String((error as NodeJS.ErrnoException).code))) {
      return undefined;
    }
    throw error;
  }
}

/** False where links cannot be: another file system, another owner. */
async function tryLink(file: string, target: string): Promise<boolean> {
  try {
    await link(await realpath(file), target);
    return true;
  } catch {
    return false;
  }
}

async function moveFile(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(source, target, constants.COPYFILE_FICLONE);
  }
}

function noListing(): never {
  throw new StorageError('containerNotFound', 'No such directory');
}

function inByteOrder(names: string[]): string[] {
  return names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}
