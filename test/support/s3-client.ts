import { S3Client } from '@aws-sdk/client-s3';
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
