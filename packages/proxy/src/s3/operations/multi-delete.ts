import type { ContainerRecord } from '@zerocloud/object-server';
import { getBucketFor } from '../access';
import { answerXml } from '../answers';
import { S3Error } from '../errors';
import type { S3Request } from '../request';
import { allowOnly, element, findText, parseXml, textElement, xmlDocument } from '../xml';
import { type Deleted, removeObject } from './delete-object';

const maxBodyBytes = 10 * 1024 * 1024;
/** Deletions at a time: those that wait for the disk together share its sync. */
const concurrency = 16;

interface Doomed {
  key: string;
  version?: string;
}

/** POST Bucket `?delete`. */
export async function deleteObjects(req: S3Request): Promise<void> {
  const { maxMultiDeleteObjects } = req.api.config;
  const { maxObjectNameLength } = req.api.deps.config.limits;
  const limit = Math.min(2 * maxMultiDeleteObjects * maxObjectNameLength, maxBodyBytes);
  const body = await req.payload.read(limit, new S3Error('MalformedXML'));
  if (body.length === 0) throw new S3Error('MissingRequestBodyError');
  if (req.header('content-md5') === undefined && !req.payload.hasChecksum) {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: Content-MD5');
  }
  const { doomed, isQuiet } = readDelete(body);
  if (doomed.length > maxMultiDeleteObjects) throw new S3Error('MalformedXML');
  const results = await deleteAll(req, doomed);
  const rows = results.map((result, index) => rowOf(doomed[index]!, result, isQuiet));
  answerXml(req.ctx, xmlDocument('DeleteResult', ...rows));
}

function readDelete(body: Buffer): { doomed: Doomed[]; isQuiet: boolean } {
  const root = parseXml(body, 'Delete');
  allowOnly(root, ['Quiet', 'Object']);
  const doomed = root.children
    .filter(({ name }) => name === 'Object')
    .map((object) => {
      // ETag, LastModifiedTime and Size are conditions, which we do not honour: then nothing may be deleted.
      allowOnly(object, ['Key', 'VersionId']);
      const key = findText(object, 'Key');
      if (key === undefined) throw new S3Error('MalformedXML');
      if (key === '') throw new S3Error('UserKeyMustBeSpecified');
      return { key, version: findText(object, 'VersionId') || undefined };
    });
  if (doomed.length === 0) throw new S3Error('MalformedXML');
  return { doomed, isQuiet: findText(root, 'Quiet')?.toLowerCase() === 'true' };
}

async function deleteAll(req: S3Request, doomed: Doomed[]): Promise<(Deleted | S3Error)[]> {
  const results: (Deleted | S3Error)[] = [];
  let bucket: ContainerRecord;
  try {
    bucket = await getBucketFor(req, 'WRITE');
  } catch (error) {
    if (error instanceof S3Error && error.code === 'AccessDenied') return doomed.map(() => error);
    throw error;
  }
  let next = 0;
  const work = async () => {
    while (next < doomed.length) {
      const index = next++;
      const { key, version } = doomed[index]!;
      results[index] = await removeObject(req, bucket, key, version).catch((error: unknown) => {
        if (error instanceof S3Error) return error;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

function rowOf({ key, version }: Doomed, result: Deleted | S3Error, isQuiet: boolean): string {
  const name = [textElement('Key', key), ...(version === undefined ? [] : [textElement('VersionId', version)])];
  if (result instanceof S3Error) {
    return element('Error', ...name, textElement('Code', result.code), textElement('Message', result.message));
  }
  if (isQuiet) return '';
  if (!result.isMarker) return element('Deleted', ...name);
  const marker = [textElement('DeleteMarker', true), textElement('DeleteMarkerVersionId', result.versionId)];
  return element('Deleted', ...name, ...marker);
}
