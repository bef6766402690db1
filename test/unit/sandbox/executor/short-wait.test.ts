import { ShortWait } from '@zerocloud/sandbox/executor/short-wait';

/** Every look of the event loop at what there is to do takes so long. */
const turnMs = 0.125;
let clockMs = 0;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  jest.spyOn(performance, 'now').mockImplementation(() => clockMs);
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function runAlone(wait: ShortWait, milliseconds: number): void {
  wait.begin();
  clockMs += milliseconds;
  wait.end();
}

/** How often the loop turns before it would sleep. */
function countTurns(): number {
  let turns = 0;
  for (; jest.getTimerCount() > 0; turns++) {
    clockMs += turnMs;
    jest.advanceTimersToNextTimer();
  }
  return turns;
}

test('sleeps while the first session runs, of which nobody knows how long it takes', () => {
  const wait = new ShortWait(2);
  wait.begin();
  expect(countTurns()).toBe(0);
});

test('turns while a session runs after a short one, and no longer than half a millisecond', () => {
  const wait = new ShortWait(2);
  runAlone(wait, 0.25);
  wait.begin();
  expect(countTurns()).toBe(4);
});

test('turns once more for the next session, and sleeps again when that has ended', () => {
  const wait = new ShortWait(2);
  runAlone(wait, 0.25);
  runAlone(wait, 0.25);
  expect(countTurns()).toBe(1);
});

test('sleeps at once after a session that took longer', () => {
  const wait = new ShortWait(2);
  runAlone(wait, 0.25);
  runAlone(wait, 0.75);
  countTurns();
  wait.begin();
  expect(countTurns()).toBe(0);
});

test('sleeps when another session runs beside it', () => {
  const wait = new ShortWait(2);
  runAlone(wait, 0.25);
  wait.begin();
  wait.stop();
  expect(countTurns()).toBe(1);
});

test('never turns where there is one processor', () => {
  const wait = new ShortWait(1);
  runAlone(wait, 0.25);
  wait.begin();
  expect(countTurns()).toBe(0);
});
