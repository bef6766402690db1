import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { startServer, type TestServer } from '../support/server';
import { compareAnswers } from './compare';
import { users } from './differential';
import { type Answer, Endpoint, type Exchange } from './exchange';
import { knownDifferences } from './known-differences';
import { isKnown, masked, rules } from './random/known';
import { aStep } from './random/requests';
import { scene } from './random/scene';

/**
 * Sequences of random requests, each in two accounts of its own that hold what `scene.ts` says. `FUZZ_SEED` and
 * `FUZZ_RUNS` explore; a sequence that shows a difference is shrunk to the requests that matter, and printed.
 */
const seed = Number(process.env.FUZZ_SEED ?? 20_261_123);
const runCount = Number(process.env.FUZZ_RUNS ?? 25);
const owner = 'admin:admin';
/** A long search for the smallest sequence ends with the smallest that was found. */
const maxMs = Math.max(100_000, runCount * 4000);

const swiftUrl = process.env.SWIFT_URL;
if (!swiftUrl) throw new Error('SWIFT_URL must name a real Swift, such as http://127.0.0.1:8090');

let server: TestServer;
let swift: Endpoint;
let ours: Endpoint;

beforeAll(async () => {
  server = await startServer({ users: users.join(';') });
  const keys = new Map(users.map((user) => /^([^=]+)=(\S+)/.exec(user)!.slice(1, 3) as [string, string]));
  swift = new Endpoint(new URL(swiftUrl), keys);
  ours = new Endpoint(new URL(server.url), keys);
}, 60_000);

afterAll(() => server.close());

test(
  'random requests are answered alike',
  () => {
    const sequences = fc.array(aStep, { minLength: 1, maxLength: 30, size: 'max' });
    return fc.assert(fc.asyncProperty(sequences, answerAlike), {
      seed,
      numRuns: runCount,
      interruptAfterTimeLimit: maxMs,
    });
  },
  maxMs + 60_000,
);

test('what random requests may differ in is documented', () => {
  const documented = knownDifferences.filter(({ suite }) => suite === 'random').map((entry) => entry.in);
  expect(rules.map(({ name }) => name)).toEqual(documented);
});

/** Throws for a difference that is not known. A known one ends the sequence, for the servers may hold other things now. */
async function answerAlike(sequence: Exchange[]): Promise<void> {
  const account = `AUTH_random${randomBytes(6).toString('hex')}`;
  const other = `${account}b`;
  const fill = <T>(value: T): T => JSON.parse(filled(JSON.stringify(value), account, other));
  const exchangeIn = ({ body, keep, ...rest }: Exchange): Exchange => ({ ...fill(rest), body, keep });
  try {
    for (const exchange of scene.map(exchangeIn)) {
      const statuses = [await sendTo(swift, exchange), await sendTo(ours, exchange)].map(({ status }) => status);
      if (statuses.some((status) => status >= 300)) throw new Error(`${exchange.path} prepared: ${statuses}`);
    }
    for (const exchange of sequence.map(exchangeIn)) {
      const answers = { swift: await sendTo(swift, exchange), ours: await sendTo(ours, exchange) };
      const differences = compareAnswers(masked(answers.swift), masked(answers.ours), exchange);
      const unknown = differences.filter(({ what }) => !isKnown({ exchange, ...answers, what }));
      if (unknown.length > 0) throw new Error(describePair(exchange, answers, unknown));
      if (differences.some(({ what }) => !what.startsWith('header ') || what.endsWith('version-id'))) return;
    }
  } finally {
    for (const path of [`/v1/${account}`, `/v1/${other}`]) {
      await sendTo(swift, { method: 'DELETE', path });
      await sendTo(ours, { method: 'DELETE', path });
    }
  }
}

const filled = (text: string, account: string, other: string) =>
  text.replaceAll('{account}', account).replaceAll('{other}', other);

/** A connection that ends without an answer is an answer, too. */
async function sendTo(endpoint: Endpoint, exchange: Exchange): Promise<Answer> {
  const user = exchange.user ?? owner;
  const send = () =>
    endpoint.send(exchange, user).catch((error) => ({
      status: 0,
      reason: String(error),
      headers: {},
      body: Buffer.alloc(0),
    }));
  const answer = await send();
  // Swift forgets a valid token for a moment when its memcache does not answer.
  return answer.status === 401 && user === owner ? send() : answer;
}

function describePair(
  { method, path, headers, body, user, raw }: Exchange,
  answers: { swift: Answer; ours: Answer },
  differences: { what: string; swift: string; ours: string }[],
): string {
  const request = raw ?? `${method} ${path} ${JSON.stringify(headers ?? {})} ${JSON.stringify(String(body ?? ''))}`;
  const lines = differences.map(
    (difference) =>
      `  ${difference.what}\n    Swift ${difference.swift.slice(0, 500)}\n    ours  ${difference.ours.slice(0, 500)}`,
  );
  return [`${user ?? owner}: ${request}`, `  ${answers.swift.status}, ours ${answers.ours.status}`, ...lines].join(
    '\n',
  );
}
