import { StorageError } from '@zerocloud/object-server/errors';
import { type CommitTarget, GroupCommit, type Write } from '@zerocloud/object-server/store/level/group-commit';
import type { Table } from '@zerocloud/object-server/store/level/rows';

const numbers: Table<number> = { binary: false, encode: String, decode: Number as never };

/** Rows in memory, written when the test says so. */
class Target implements CommitTarget {
  readonly stored = new Map<string, string>();
  readonly batches: string[][] = [];
  readonly synced: boolean[] = [];
  recoverCount = 0;
  failRecovery: Error | undefined;
  #next: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #arrival: (() => void) | undefined;

  find<V>(table: Table<V>, key: string): V | undefined {
    const stored = this.stored.get(key);
    return stored === undefined ? undefined : table.decode(stored as never);
  }

  write(rows: ReadonlyMap<string, Write>, { sync }: { sync: boolean }): Promise<void> {
    this.batches.push([...rows.keys()]);
    this.synced.push(sync);
    return new Promise<void>((resolve, reject) => {
      this.#next = { resolve, reject };
      this.#arrival?.();
    }).then(() => {
      for (const [key, { value }] of rows) {
        if (value === undefined) this.stored.delete(key);
        else this.stored.set(key, String(value));
      }
    });
  }

  async recover(): Promise<void> {
    this.recoverCount++;
    if (this.failRecovery) throw this.failRecovery;
  }

  /** Ends the write that is, or will be, under way. */
  async finishWrite(error?: Error): Promise<void> {
    if (!this.#next) {
      await new Promise<void>((resolve) => {
        this.#arrival = resolve;
      });
    }
    const { resolve, reject } = this.#next!;
    this.#next = undefined;
    if (error) reject(error);
    else resolve();
    await new Promise(setImmediate);
  }
}

describe('group commit', () => {
  let target: Target;
  let commits: GroupCommit;
  beforeEach(() => {
    target = new Target();
    commits = new GroupCommit(target);
  });

  const add = (key: string, amount: number) =>
    commits.commit((tx) => {
      const sum = (tx.find(numbers, key) ?? 0) + amount;
      tx.put(numbers, key, sum);
      return sum;
    });

  test('writes what is committed together in one batch, each row once', async () => {
    const sums = [add('a', 1), add('a', 2), add('b', 3)];
    await target.finishWrite();
    expect(await Promise.all(sums)).toEqual([1, 3, 3]);
    expect(target.batches).toEqual([['a', 'b']]);
    expect(target.stored).toEqual(
      new Map([
        ['a', '3'],
        ['b', '3'],
      ]),
    );
  });

  test('collects the next batch while one is written, and sees the rows of both', async () => {
    const first = add('a', 1);
    await new Promise(setImmediate);
    const second = add('a', 10);
    const third = add('a', 100);
    await target.finishWrite();
    expect(await first).toBe(1);
    await target.finishWrite();
    expect(await Promise.all([second, third])).toEqual([11, 111]);
    expect(target.batches).toEqual([['a'], ['a']]);
  });

  test('resolves, and runs hooks, only when the batch is stored', async () => {
    const events: string[] = [];
    const commit = commits
      .commit((tx) => {
        tx.put(numbers, 'a', 1);
        tx.afterCommit(() => events.push(`hook ${target.stored.get('a')}`));
      })
      .then(() => events.push('resolved'));
    await new Promise(setImmediate);
    expect(events).toEqual([]);
    await target.finishWrite();
    await commit;
    expect(events).toEqual(['hook 1', 'resolved']);
  });

  test('drops the writes of a transaction that refuses', async () => {
    const refused = commits.commit((tx) => {
      tx.put(numbers, 'a', 1);
      throw new StorageError('objectExists', 'no');
    });
    await expect(refused).rejects.toMatchObject({ code: 'objectExists' });
    expect(target.batches).toEqual([]);
    expect(commits.peek(numbers, 'a')).toBeUndefined();
  });

  test('answers a refusal, and a look, only when what it saw is stored', async () => {
    const events: string[] = [];
    const write = add('a', 1).then(() => events.push('written'));
    const look = commits.commit((tx) => tx.find(numbers, 'a')).then((value) => events.push(`seen ${value}`));
    const refusal = commits
      .commit(() => {
        throw new StorageError('objectExists', 'no');
      })
      .catch(() => events.push('refused'));
    await new Promise(setImmediate);
    expect(events).toEqual([]);
    await target.finishWrite();
    await Promise.all([write, look, refusal]);
    expect(events.sort()).toEqual(['refused', 'seen 1', 'written']);
    expect(await commits.commit((tx) => tx.find(numbers, 'a'))).toBe(1);
  });

  test('fails a batch and all that was built on it, recovers, and goes on from what is stored', async () => {
    const before = add('a', 1);
    await target.finishWrite();
    await before;
    const failing = add('a', 10);
    await new Promise(setImmediate);
    const dependant = add('a', 100);
    const outcomes = Promise.allSettled([failing, dependant]);
    const full = Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' });
    await target.finishWrite(full);
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'insufficientStorage', cause: full } });
    }
    expect(target.recoverCount).toBe(1);
    const next = add('a', 1000);
    await target.finishWrite();
    expect(await next).toBe(1001);
  });

  test('refuses while recovery fails, and tries it again with each commit', async () => {
    target.failRecovery = new Error('still broken');
    const failing = add('a', 1);
    const outcome = expect(failing).rejects.toMatchObject({ code: 'unavailable' });
    await target.finishWrite(new Error('disk'));
    await outcome;
    await expect(add('a', 1)).rejects.toMatchObject({ code: 'unavailable', cause: target.failRecovery });
    target.failRecovery = undefined;
    const next = add('a', 5);
    await target.finishWrite();
    expect(await next).toBe(5);
    expect(target.recoverCount).toBe(3);
  });

  test('syncs a batch unless all in it is relaxed, and says when one was not', async () => {
    let relaxedCount = 0;
    commits = new GroupCommit(target, () => relaxedCount++);
    const put = (key: string, isRelaxed: boolean) =>
      commits.commit((tx) => {
        tx.isRelaxed = isRelaxed;
        tx.put(numbers, key, 1);
      });
    const first = [put('a', true), put('b', true)];
    await target.finishWrite();
    await Promise.all(first);
    const second = [put('c', true), put('d', false)];
    await target.finishWrite();
    await Promise.all(second);
    expect({ synced: target.synced, batches: target.batches, relaxedCount }).toEqual({
      synced: [false, true],
      batches: [
        ['a', 'b'],
        ['c', 'd'],
      ],
      relaxedCount: 1,
    });
  });

  test('does what no crash may find done before only with the next sync', async () => {
    const events: string[] = [];
    const put = (key: string, isRelaxed: boolean) =>
      commits.commit((tx) => {
        tx.isRelaxed = isRelaxed;
        tx.put(numbers, key, 1);
        tx.afterSync(() => events.push(key));
      });
    for (const [key, isRelaxed] of [
      ['a', true],
      ['b', true],
      ['c', false],
    ] as const) {
      const committed = put(key, isRelaxed);
      await target.finishWrite();
      await committed;
      events.push(`committed ${key}`);
    }
    expect(events).toEqual(['committed a', 'committed b', 'a', 'b', 'c', 'committed c']);
  });

  test('close settles what was committed and refuses the rest', async () => {
    const last = add('a', 1);
    const closed = commits.close();
    await expect(add('a', 1)).rejects.toMatchObject({ code: 'unavailable' });
    await target.finishWrite();
    await closed;
    expect(await last).toBe(1);
  });
});
