import { Progress, patienceMs, phaseSentences } from '@zerocloud/sandbox/cli/progress';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function record(isTerminal: boolean): { progress: Progress; texts: string[] } {
  const texts: string[] = [];
  return { progress: new Progress('zvsh', { isTerminal, write: (text) => texts.push(text) }), texts };
}

test('says on a terminal what takes long, and takes it back', () => {
  const { progress, texts } = record(true);
  progress.enter(phaseSentences.starting);
  jest.advanceTimersByTime(patienceMs);
  progress.enter(phaseSentences.checking);
  jest.advanceTimersByTime(patienceMs);
  progress.enter(phaseSentences.running);
  jest.advanceTimersByTime(10 * patienceMs);
  progress.enter(phaseSentences.done);
  const back = '\r\x1b[K';
  expect(texts).toEqual(['zvsh: starting the sandbox…', back, 'zvsh: checking and compiling the program…', back]);
});

test('says nothing of what is quick', () => {
  const { progress, texts } = record(true);
  for (const phase of ['copying', 'starting', 'checking', 'running', 'done'] as const) {
    progress.enter(phaseSentences[phase]);
    jest.advanceTimersByTime(phase === 'running' ? 10 * patienceMs : patienceMs - 1);
  }
  expect(texts).toEqual([]);
});

test('says nothing where nobody looks', () => {
  const { progress, texts } = record(false);
  progress.enter(phaseSentences.starting);
  jest.advanceTimersByTime(10 * patienceMs);
  expect(texts).toEqual([]);
});
