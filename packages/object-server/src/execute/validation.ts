import type { Session } from '@zerocloud/sandbox';
import type { ValidationOptions } from '../storage-node';
import type { ObjectRecord } from '../store/object-store';
import type { OpenedSource } from './opened-sources';

/** The record of a valid program carries the id of the body that was found valid; another body has another id. */
const validMark = 'x-object-sysmeta-zerovm-valid';

export function validityMark(bodyId: string): Record<string, string> {
  return { [validMark]: bodyId };
}

/** Whether these very bytes were found to be a valid program. */
export function isFoundValid(record: ObjectRecord | undefined): boolean {
  return record !== undefined && record.metadata[validMark] === record.bodyId;
}

/** A session that checks a program and runs nothing. */
export function checkOnlySession(account: string, program: OpenedSource, options: ValidationOptions): Session {
  return {
    tenant: account,
    program: { kind: 'module', source: program.source, cacheKey: program.identity },
    args: ['program'],
    env: {},
    channels: [],
    mounts: [],
    systemImages: [],
    timeoutMs: options.timeoutMs,
    memoryBytes: options.memoryBytes,
    local: { checkOnly: true },
  };
}
