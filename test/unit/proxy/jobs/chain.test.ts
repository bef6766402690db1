import { Readable } from 'node:stream';
import type { JobRequest } from '@zerocloud/proxy/jobs/admission';
import { type ChainLimits, runChain } from '@zerocloud/proxy/jobs/chain';
import type { JobResponse } from '@zerocloud/proxy/jobs/response';

const limits: ChainLimits = { chainTimeoutS: 20, maxConfigBytes: 100 };
const aborting = new AbortController();
const request = {
  ctx: { state: { signal: aborting.signal } },
  execute: 'api/1.0',
  source: 's',
  parsed: {},
} as unknown as JobRequest;

function response(text: string, more: Partial<JobResponse> = {}): JobResponse {
  const headers = { 'Content-Type': 'application/json', 'X-Zerovm-Execute': '1.0' };
  return { status: 200, headers, body: Buffer.from(text), sizeBytes: text.length, ...more };
}
const last = response('done', { headers: { 'Content-Type': 'text/plain' } });

async function chain(answers: JobResponse[], own: Partial<ChainLimits> = {}) {
  const asked: JobRequest[] = [];
  const answer = await runChain(request, { ...limits, ...own }, async (job) => {
    asked.push(job);
    return answers[asked.length - 1]!;
  });
  return { answer, asked };
}

test('a chain runs every job that an answer asks for, as a posted one', async () => {
  const streamed = response('[2]', { body: Readable.from([Buffer.from('[2'), Buffer.from(']')]) });
  const { answer, asked } = await chain([response('[1]'), streamed, last]);
  expect(answer).toBe(last);
  expect(asked.slice(1)).toMatchObject([
    { parsed: { description: [1] }, execute: '1.0', isChained: true },
    { parsed: { description: [2] }, execute: '1.0', isChained: true },
  ]);
  expect(asked[1]!.source).toBeUndefined();
});

test('a chain ends with an answer that is too long, or comes too late', async () => {
  const long = response(' '.repeat(101));
  expect((await chain([long])).answer).toBe(long);
  const late = response('[1]');
  expect((await chain([late], { chainTimeoutS: 0 })).answer).toBe(late);
});

test('a chain ends when its client is gone', async () => {
  const gone = new AbortController();
  const left = { ...request, ctx: { state: { signal: gone.signal } } } as unknown as JobRequest;
  const body = Readable.from([Buffer.from('[1]')]);
  const running = runChain(left, limits, async () => {
    gone.abort();
    return response('[1]', { body });
  });
  await expect(running).rejects.toBe(gone.signal.reason);
  expect(body.destroyed).toBe(true);
});
