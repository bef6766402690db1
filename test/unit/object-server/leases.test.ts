import type { OpenObject } from '@zerocloud/object-server';
import { Leases } from '@zerocloud/object-server/leases';
import { leaseLifetimeMs, leaseRenewalMs } from '@zerocloud/object-server/wire/protocol';

function openObject(): OpenObject & { closedCount: number } {
  const opened = {
    record: {} as OpenObject['record'],
    read: () => Promise.resolve(Buffer.alloc(0)),
    closedCount: 0,
    close: () => {
      opened.closedCount++;
    },
  };
  return opened;
}

describe('leases', () => {
  let nowMs = 0;
  let leases: Leases;

  beforeEach(() => {
    nowMs = 1_000_000;
    leases = new Leases(() => nowMs);
  });
  afterEach(() => leases.close());

  test('keep an object open until they are released, once', () => {
    const opened = openObject();
    const lease = leases.grant(opened);
    expect(leases.get(lease)).toBe(opened);
    leases.release(lease);
    leases.release(lease);
    expect(opened.closedCount).toBe(1);
    expect(() => leases.get(lease)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  test('do not run out because somebody sets the clock', () => {
    const date = jest.spyOn(Date, 'now');
    const ownClock = new Leases();
    const opened = openObject();
    const lease = ownClock.grant(opened);
    date.mockReturnValue(Date.now() + 2 * leaseLifetimeMs);
    try {
      ownClock.dropExpired();
      expect(ownClock.get(lease)).toBe(opened);
    } finally {
      date.mockRestore();
      ownClock.close();
    }
  });

  test('run out unless they are used or renewed', () => {
    const [idle, read, renewed] = [openObject(), openObject(), openObject()];
    const names = [idle, read, renewed].map((opened) => leases.grant(opened)) as [string, string, string];
    for (let elapsedMs = 0; elapsedMs <= leaseLifetimeMs; elapsedMs += leaseRenewalMs) {
      nowMs += leaseRenewalMs;
      leases.get(names[1]);
      leases.renew([names[2], 'unknown']);
      leases.dropExpired();
    }
    expect([idle, read, renewed].map(({ closedCount }) => closedCount)).toEqual([1, 0, 0]);
    expect(leases.size).toBe(2);
  });

  test('outlive that their server stood still, until it has heard their proxies again', () => {
    const opened = openObject();
    const lease = leases.grant(opened);
    nowMs += 10 * leaseLifetimeMs;
    leases.dropExpired();
    leases.renew([lease]);
    for (let elapsedMs = 0; elapsedMs < leaseLifetimeMs; elapsedMs += leaseRenewalMs) {
      nowMs += leaseRenewalMs;
      leases.dropExpired();
      expect(leases.get(lease)).toBe(opened);
    }
    expect(opened.closedCount).toBe(0);
  });

  test('close with their server', () => {
    const opened = [openObject(), openObject()];
    for (const one of opened) {
      leases.grant(one);
    }
    leases.close();
    expect(opened.map(({ closedCount }) => closedCount)).toEqual([1, 1]);
    expect(leases.size).toBe(0);
  });

  test('are refused when far too many are out, and the object is closed', () => {
    for (let count = 0; count < 20_000; count++) {
      leases.grant(openObject());
    }
    const opened = openObject();
    expect(() => leases.grant(opened)).toThrow(expect.objectContaining({ code: 'unavailable' }));
    expect(opened.closedCount).toBe(1);
  });
});
