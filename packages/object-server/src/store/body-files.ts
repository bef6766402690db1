import type { FinishedBody, Metadata, ObjectPath, ObjectRecord, OpenObject, PutObjectOptions } from './object-store';

/**
 * What only the node that holds the files can do: hand a body to a session as a path, take a session's output as a
 * body. None of it crosses HTTP, and nothing above the storage node may use it.
 */
export interface BodyFiles {
  /** A fresh path for a temporary file, on the same file system as the bodies. Whatever lies there is removed at start-up. */
  stagingPath(): string;
  /**
   * The file that holds the body, for reading or linking only; undefined if the body is small, then `read` gives a
   * Buffer. The path is good until `opened.close()`.
   */
  findBodyFile(opened: OpenObject): string | undefined;
  /** Adds system metadata to the object, if it still has that body; else false. Nothing else about it changes. */
  markObject(path: ObjectPath, bodyId: string, marks: Metadata): Promise<boolean>;
  /**
   * Stores a finished output under the name. A file must lie on the same file system and have no other writer; it
   * is synced and moved, or read and removed when small, and it is gone afterwards, also when the store refuses it.
   * `containerNotFound`; `bodyLengthMismatch` if a file is not as long as stated.
   */
  putFinishedObject(path: ObjectPath, body: FinishedBody, options: FinishedObjectOptions): Promise<ObjectRecord>;
}

export type FinishedObjectOptions = Pick<PutObjectOptions, 'timestamp' | 'contentType' | 'metadata' | 'deleteAt'>;
