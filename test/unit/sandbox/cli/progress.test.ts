import { Progress, patienceMs } from '@zerocloud/sandbox/cli/progress';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function record(isTerminal: boolean): { progress: Progress; texts: string[] } {
  const texts: string[] = [];
  return { progress: new Progress('zvsh', { isTerminal, write: (text) => texts.push(text) }), texts };
}

test('says on a terminal what takes long, and takes it back', () => {
  const { progress, texts } = record(true);
  progress.enter('starting');
  jest.advanceTimersByTime(patienceMs);
  progress.enter('checking');
  jest.advanceTimersByTime(patienceMs);
  progress.enter('running');
  jest.advanceTimersByTime(10 * patienceMs);
  progress.enter('done');
  const back = '\r\x1b[K';
  expect(texts).toEqual(['zvsh: starting the sandbox…', back, 'zvsh: checking and compiling the program…', back]);
});

test('says nothing of what is quick', () => {
  const { progress, texts } = record(true);
  for (const phase of ['starting', 'checking', 'running', 'done'] as const) {
    progress.enter(phase);
    jest.advanceTimersByTime(phase === 'running' ? 10 * patienceMs : patienceMs - 1);
  }
  expect(texts).toEqual([]);
});

test('says nothing where nobody looks', () => {
  const { progress, texts } = record(false);
  progress.enter('starting');
  jest.advanceTimersByTime(10 * patienceMs);
  expect(texts).toEqual([]);
});
