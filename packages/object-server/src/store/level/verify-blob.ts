import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const pieceBytes = 512 * 1024;

export interface VerifyOptions {
  /** Called after every piece with its length; false ends the look without a finding. */
  goOn?(readBytes: number): Promise<boolean>;
}

/** What is wrong with the file of a blob: a few words for the log, `undefined` if it is as it was stored. */
export async function findDamage(
  path: string,
  expected: { sizeBytes: number; etag: string },
  { goOn }: VerifyOptions = {},
): Promise<string | undefined> {
  const handle = await open(path, 'r').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return 'its file is missing';
  try {
    const hash = createHash('md5');
    const piece = Buffer.allocUnsafe(pieceBytes);
    let sizeBytes = 0;
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, pieceBytes, sizeBytes);
      if (bytesRead === 0) break;
      hash.update(piece.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      if (goOn && !(await goOn(bytesRead))) return undefined;
    }
    if (sizeBytes !== expected.sizeBytes) return `it has ${sizeBytes} bytes instead of ${expected.sizeBytes}`;
    return hash.digest('hex') === expected.etag ? undefined : 'its md5 differs';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 'it cannot be read';
    throw error;
  } finally {
    await handle.close();
  }
}
