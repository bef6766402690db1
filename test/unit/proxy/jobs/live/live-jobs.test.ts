import type { RequestState } from '@zerocloud/proxy/context';
import { LiveJobs } from '@zerocloud/proxy/jobs/live/live-jobs';
import type { NodeOutcome } from '@zerocloud/proxy/jobs/outcome';
import type { PlannedNode } from '@zerocloud/proxy/jobs/plan';
import { Stop } from '@zerocloud/sandbox/stop-signal';

function begin() {
  const live = new LiveJobs({ jobHistory: 10, jobHistoryNodes: 10 }, () => 1);
  const state = { path: { account: 'a' }, transactionId: 'tx', stop: new Stop() } as unknown as RequestState;
  const job = live.begin(state, [{ name: 'n' } as PlannedNode]);
  job.nodeStarted(0);
  return { live, state, job };
}

test('a job stopped by its owner is stopped, with the nodes that ran', () => {
  const { live, state, job } = begin();
  job.stop();
  live.end(state, 409);
  expect([job.state, job.status, job.counts.stopped]).toEqual(['stopped', 409, 1]);
});

test('a job stopped when its answer was ready is done: that answer is sent', () => {
  const { live, state, job } = begin();
  job.nodeEnded(0, { status: 200, state: 'ok', exitCode: 0 } as NodeOutcome);
  job.stop();
  live.end(state, 200);
  expect([job.state, job.status, job.counts.done]).toEqual(['done', 200, 1]);
});

test('a job ends once', () => {
  const { live, state, job } = begin();
  live.end(state, 500);
  live.end(state, 200);
  expect([job.state, job.status, live.list('a')]).toEqual(['failed', 500, [job]]);
});
