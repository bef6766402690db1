import { Stop, type StopSignal } from '@zerocloud/sandbox/stop-signal';

const kinds: [string, () => { signal: StopSignal; abort(reason?: unknown): void }][] = [
  [
    'a stop',
    () => {
      const stop = new Stop();
      return { signal: stop, abort: (reason) => stop.abort(reason) };
    },
  ],
  [
    'an AbortSignal',
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, abort: (reason) => controller.abort(reason) };
    },
  ],
];

describe.each(kinds)('%s', (_kind, create) => {
  test('tells all who listen, once and in their order, and says why', () => {
    const { signal, abort } = create();
    const told: string[] = [];
    const removed = () => told.push('removed');
    signal.addEventListener('abort', () => told.push('first'), { once: true });
    signal.addEventListener('abort', removed, { once: true });
    signal.addEventListener('abort', () => told.push(String(signal.reason)), { once: true });
    signal.removeEventListener('abort', removed);
    expect([signal.aborted, signal.reason]).toEqual([false, undefined]);
    signal.throwIfAborted();
    abort('because');
    abort('again');
    expect(told).toEqual(['first', 'because']);
    expect([signal.aborted, signal.reason]).toEqual([true, 'because']);
    expect(() => signal.throwIfAborted()).toThrow('because');
  });

  test('is an AbortError when nobody says why', () => {
    const { signal, abort } = create();
    abort();
    expect((signal.reason as Error).name).toBe('AbortError');
  });

  test('a listener may take another one away while they are told', () => {
    const { signal, abort } = create();
    const told: string[] = [];
    const last = () => told.push('last');
    signal.addEventListener('abort', () => signal.removeEventListener('abort', last));
    signal.addEventListener('abort', () => told.push('second'));
    signal.addEventListener('abort', last);
    abort();
    expect(told).toEqual(['second']);
  });
});
