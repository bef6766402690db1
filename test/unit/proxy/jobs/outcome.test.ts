import type { NodeResult } from '@zerocloud/object-server';
import { StorageError } from '@zerocloud/object-server/errors';
import { lostOutcome, outcomeOf } from '@zerocloud/proxy/jobs/outcome';
import type { PlannedNode } from '@zerocloud/proxy/jobs/plan';

const node = { name: 'n', group: { devices: [{ name: 'stdout' }] }, objects: [undefined] } as unknown as PlannedNode;

test('a guest that the host lost is reported as ZeroCloud reports a runtime that failed', () => {
  const outcome = lostOutcome(node, new StorageError('sessionFailed', 'An input of the session was lost'));
  const text = 'ERROR OBJ.QUERY retcode=Killed,  zerovm_stdout=An input of the session was lost';
  expect(outcome).toMatchObject({
    status: 500,
    state: 'ZeroVM runtime error',
    exitCode: 0,
    error: text,
    accounting: '0.0 0.0 0 0 0 0 0 0 0 0',
    returned: { contentType: 'text/plain', body: Buffer.from(text) },
  });
});

describe('a session that ran', () => {
  const accounting = {
    systemSeconds: 0.1,
    userSeconds: 3.525,
    reads: 1262,
    readBytes: 75_929_984,
    writes: 34,
    writeBytes: 199,
    networkReads: 1,
    networkReadBytes: 2,
    networkWrites: 3,
    networkWriteBytes: 4,
  };
  const result = (changes: object = {}): NodeResult => ({
    report: {
      validation: 0,
      daemon: false,
      exitCode: 0,
      etags: [],
      accounting,
      state: 'ok',
      code: 0,
      elapsedMs: 3994,
      ...changes,
    },
    outputs: [],
  });

  test('has its accounting in ten numbers', () => {
    expect(outcomeOf(node, result(), undefined)).toMatchObject({
      accounting: '0.10 3.52 1262 75929984 34 199 1 2 3 4',
      cdr: '3.994, 0.10 3.52 1262 75929984 34 199 1 2 3 4',
      etag: 'disabled',
      isCached: false,
    });
  });

  test('says that it started from a daemon', () => {
    expect(outcomeOf(node, result({ daemon: true }), undefined).isCached).toBe(true);
  });

  test('is a failure when its session failed, not when its program says so', () => {
    expect(outcomeOf(node, result({ exitCode: 9 }), undefined).status).toBe(200);
    const failed = outcomeOf(node, result({ code: 4, state: 'session timeout' }), undefined);
    expect(failed).toMatchObject({ status: 500, state: 'session timeout', error: 'bad return code' });
  });
});
