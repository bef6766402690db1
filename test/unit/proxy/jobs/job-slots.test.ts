import { JobSlots } from '@zerocloud/proxy/jobs/job-slots';

const never = new AbortController().signal;

describe('places for jobs', () => {
  test('are free up to the limit, then waited for in order, then refused', async () => {
    const slots = new JobSlots({ maxJobs: 2, maxQueuedJobs: 2 });
    expect([slots.acquire(never), slots.acquire(never)]).toEqual([undefined, undefined]);
    const entered: string[] = [];
    const first = slots.acquire(never)!.then(() => entered.push('first'));
    const second = slots.acquire(never)!.then(() => entered.push('second'));
    expect(() => slots.acquire(never)).toThrow('Slot not available');
    slots.release();
    await first;
    expect(entered).toEqual(['first']);
    slots.release();
    await second;
    expect(entered).toEqual(['first', 'second']);
    slots.release();
    slots.release();
    expect(slots.acquire(never)).toBeUndefined();
  });

  test('are not waited for by those who gave up', async () => {
    const slots = new JobSlots({ maxJobs: 1, maxQueuedJobs: 1 });
    expect(slots.acquire(never)).toBeUndefined();
    const client = new AbortController();
    const waiting = slots.acquire(client.signal);
    client.abort(new Error('hung up'));
    await expect(waiting).rejects.toThrow('hung up');
    await expect(slots.acquire(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    slots.release();
    expect(slots.acquire(never)).toBeUndefined();
  });
});
