import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { TestServer } from './server';

/** AWS's own client, on a server of the tests. */
export function clientOf({ url }: TestServer, user = 'test:tester', key = 'testing'): S3Client {
  return new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: user, secretAccessKey: key },
  });
}

/** The code that a request is refused with; `none` when it is not. */
export function codeOf(answer: Promise<unknown>): Promise<string> {
  return answer.then(() => 'none').catch((error: Error) => error.name);
}

/** The content of an object as text. */
export async function readText(client: S3Client, object: GetObjectCommandInput): Promise<string> {
  const { Body } = await client.send(new GetObjectCommand(object));
  return Body!.transformToString();
}

/** Begins an upload with parts of these contents; each of its steps can be done by another client. */
export async function beginUpload(client: S3Client, object: { Bucket: string; Key: string }, contents: string[]) {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
  const upload = { ...object, UploadId };
  const uploadPart = async (Body: string, PartNumber: number, at = client) => {
    const { ETag } = await at.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag };
  };
  const named = await Promise.all(contents.map((content, index) => uploadPart(content, index + 1)));
  const complete = (Parts = named, at = client) =>
    at.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  const abort = (at = client) => at.send(new AbortMultipartUploadCommand(upload));
  return { id: UploadId!, named, uploadPart, complete, abort };
}

/** What there is of uploads to a bucket: the uploads themselves, and their parts. */
export async function uploadedTo(server: TestServer, bucket: string): Promise<string[]> {
  const response = await server.request(`/v1/AUTH_test/${bucket}%2Bsegments`);
  return response.status === 404 ? [] : (await response.text()).split('\n').filter((name) => name !== '');
}
