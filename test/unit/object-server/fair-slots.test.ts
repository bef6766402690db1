import { FairSlots } from '@zerocloud/object-server/fair-slots';

/** Notes who entered, in order. */
function entrants(slots: FairSlots) {
  const entered: string[] = [];
  const ask = (account: string, name: string): void => {
    const waiting = slots.acquire(account);
    if (waiting === undefined) entered.push(name);
    else void waiting.then(() => entered.push(name));
  };
  return { entered, ask };
}

const turn = () => new Promise(setImmediate);

describe('places', () => {
  test('are free up to the limit, then waited for in order, then refused', async () => {
    const slots = new FairSlots({ slots: 2, reserved: 0, maxWaiting: 2 });
    const { entered, ask } = entrants(slots);
    ask('a', '1');
    ask('a', '2');
    expect(entered).toEqual(['1', '2']);
    ask('a', '3');
    ask('a', '4');
    expect(() => slots.acquire('a')).toThrow('Slot not available');
    expect(slots.load()).toEqual({ running: 2, waiting: 2 });
    slots.release('a');
    await turn();
    expect(entered).toEqual(['1', '2', '3']);
    slots.release('a');
    slots.release('a');
    slots.release('a');
    await turn();
    expect(entered).toEqual(['1', '2', '3', '4']);
    expect(slots.load()).toEqual({ running: 0, waiting: 0 });
  });

  test('go round between the accounts that wait', async () => {
    const slots = new FairSlots({ slots: 1, reserved: 0, maxWaiting: 10 });
    const { entered, ask } = entrants(slots);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) ask(name[0]!, name);
    for (let i = 0; i < 6; i++) {
      slots.release(entered.at(-1)![0]!);
      await turn();
    }
    // Who has been given nothing yet comes before who has.
    expect(entered).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  test('are kept for an account that runs nothing, one each', async () => {
    const slots = new FairSlots({ slots: 2, reserved: 1, maxWaiting: 10 });
    const { entered, ask } = entrants(slots);
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) ask(name[0]!, name);
    expect(entered).toEqual(['a1', 'a2', 'b1']);
    slots.release('a');
    await turn();
    // Two run, as many as anybody may have: the next turn is not `a`'s, but that of who runs nothing.
    expect(entered).toEqual(['a1', 'a2', 'b1', 'c1']);
    slots.release('b');
    slots.release('c');
    await turn();
    expect(entered).toEqual(['a1', 'a2', 'b1', 'c1', 'b2']);
  });

  test('are bounded for all accounts together', () => {
    const slots = new FairSlots({ slots: 1, reserved: 0, maxWaiting: 1 });
    expect(slots.acquire('a')).toBeUndefined();
    for (let i = 0; i < 8; i++) void slots.acquire(`a${i}`);
    expect(() => slots.acquire('b')).toThrow('Slot not available');
  });

  test('are not waited for by those who gave up', async () => {
    const slots = new FairSlots({ slots: 1, reserved: 0, maxWaiting: 1 });
    expect(slots.acquire('a')).toBeUndefined();
    const client = new AbortController();
    const waiting = slots.acquire('a', client.signal);
    client.abort(new Error('hung up'));
    await expect(waiting).rejects.toThrow('hung up');
    await expect(slots.acquire('a', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    slots.release('a');
    expect(slots.acquire('b')).toBeUndefined();
  });

  test('are given several at once or not at all, and nobody overtakes who collects them', async () => {
    const slots = new FairSlots({ slots: 3, reserved: 0, maxWaiting: 10 });
    const entered: string[] = [];
    const ask = (account: string, name: string, count: number) => {
      const waiting = slots.acquire(account, undefined, count);
      if (waiting === undefined) entered.push(name);
      else void waiting.then(() => entered.push(name));
    };
    ask('a', 'a1', 2);
    ask('b', 'b3', 3);
    ask('c', 'c1', 1);
    ask('a', 'a2', 2);
    // One place is free all the time; it waits for those that `b` needs.
    expect(entered).toEqual(['a1']);
    slots.release('a', 2);
    await turn();
    expect(entered).toEqual(['a1', 'b3']);
    expect(slots.load()).toEqual({ running: 3, waiting: 2 });
    slots.release('b', 3);
    await turn();
    expect(entered).toEqual(['a1', 'b3', 'c1', 'a2']);
    slots.release('c');
    slots.release('a', 2);
    expect(slots.load()).toEqual({ running: 0, waiting: 0 });
  });

  test('are free for the others when who collected them gives up', async () => {
    const slots = new FairSlots({ slots: 2, reserved: 0, maxWaiting: 10 });
    expect(slots.acquire('a')).toBeUndefined();
    const client = new AbortController();
    const group = slots.acquire('b', client.signal, 2);
    const behind = slots.acquire('c');
    expect(slots.load()).toEqual({ running: 1, waiting: 2 });
    client.abort(new Error('hung up'));
    await expect(group).rejects.toThrow('hung up');
    await behind;
    expect(slots.load()).toEqual({ running: 2, waiting: 0 });
  });

  test('are refused to who needs more than there are', () => {
    const slots = new FairSlots({ slots: 2, reserved: 5, maxWaiting: 10 });
    expect(() => slots.acquire('a', undefined, 3)).toThrow('Slot not available: 3 are needed at once, and there are 2');
  });
});
