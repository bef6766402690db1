import { isStorageError, type ObjectPath, type ObjectRecord } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';

/** ZeroCloud's type of programs; objects of this type are checked without being asked. */
const programType = 'application/x-nexe';

const validHeader = 'X-Zerovm-Valid';
const validMark = 'x-object-sysmeta-zerovm-valid';

/** Whether a PUT or POST wants its object checked as a program; `contentType` as the request sets it. */
export function wantsValidation({ req }: SwiftContext, contentType: string | undefined): boolean {
  return (
    req.headers['x-zerovm-validate'] !== undefined ||
    (contentType?.startsWith(programType) === true && contentType.split(';', 1)[0]!.trim() === programType)
  );
}

/**
 * Checks a stored object as a program, without running it, in a process of the account; `X-Zerovm-Valid: true` says that
 * a job may run it, and the store remembers that of these very bytes. The object is stored whatever comes out.
 */
export async function validateProgram(
  ctx: SwiftContext,
  { node, config, log }: Deps,
  path: ObjectPath,
  { bodyId }: ObjectRecord,
): Promise<void> {
  const { sessionTimeoutS, sessionMemoryBytes: memoryBytes, maxProgramBytes } = config.jobs;
  const options = { bodyId, timeoutMs: sessionTimeoutS * 1000, memoryBytes, maxProgramBytes };
  try {
    if (await node.validateProgram(path, options)) ctx.res.setHeader(validHeader, 'true');
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // No slot, or no executor: nobody knows whether it is valid.
    log.warn({ txn: ctx.state.transactionId, err: error }, 'a program could not be validated');
  }
}

/** Answers a GET or HEAD that asks with `X-Zerovm-Valid` whether the object is a program found valid. */
export function setValidity({ req, res }: SwiftContext, { bodyId, metadata }: ObjectRecord): void {
  if (req.headers['x-zerovm-valid'] !== undefined && metadata[validMark] === bodyId) res.setHeader(validHeader, 'true');
}
