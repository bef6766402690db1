import { randomBytes } from 'node:crypto';
import { startServer, type TestServer } from '../support/server';
import { compareAnswers, type Difference } from './compare';
import { type Answer, Endpoint, type Exchange } from './exchange';
import { knownDifferences } from './known-differences';

/** Both answers to one request. */
export interface Answers {
  swift: Answer;
  ours: Answer;
}

export interface Case {
  /** Sends the request to both servers, notes how the answers differ, and resolves with them. */
  send(exchange: Exchange): Promise<Answers>;
}

export interface Suite {
  /** An account that exists on both servers and in which only this suite works. `admin:admin` owns it. */
  account: string;
  /** A case whose requests run in this order: a list, or a function that sends them one by one. */
  same(name: string, requests: Exchange[] | ((on: Case) => Promise<void>)): void;
  /** Requests that only prepare what the cases look at; differences do not matter, but errors of ours do. */
  prepare(requests: () => Exchange[]): void;
}

/** The users of the reference installation; ours has the same. */
export const users = [
  'test:tester=testing .admin',
  'test:tester2=testing2 .admin',
  'test2:tester2=testing2 .admin',
  'test:tester3=testing3',
  'test5:tester5=testing5 service',
  'admin:admin=admin .admin .reseller_admin',
];
const owner = 'admin:admin';
/** Differences of one case that are printed. */
const maxShown = 30;

export interface SuiteOptions {
  /** Further settings of our server. */
  env?: Record<string, string>;
  /** Variable with the address of a Swift that has settings of its own; without it the suite is skipped. */
  urlVariable?: string;
}

/**
 * Declares a suite: a fresh server of ours beside the real Swift whose address is in `SWIFT_URL`. Every case sends its
 * requests to both and fails if the answers differ in a way that `known-differences.ts` does not list.
 */
export function differential(name: string, declare: (suite: Suite) => void, options: SuiteOptions = {}): void {
  const { urlVariable = 'SWIFT_URL' } = options;
  const swiftUrl = process.env[urlVariable];
  if (!swiftUrl && options.urlVariable) {
    test.skip(`${name}: ${urlVariable} names no Swift`, () => undefined);
    return;
  }
  if (!swiftUrl) throw new Error('SWIFT_URL must name a real Swift, such as http://127.0.0.1:8090');
  const keys = new Map(users.map((user) => /^([^=]+)=(\S+)/.exec(user)!.slice(1, 3) as [string, string]));
  const account = `AUTH_differential${randomBytes(4).toString('hex')}`;
  const known = knownDifferences.filter(({ suite }) => suite === name);
  const shown = new Set<unknown>();
  const preparations: (() => Exchange[])[] = [];
  let server: TestServer;
  let swift: Endpoint;
  let ours: Endpoint;

  async function sendBoth(exchange: Exchange): Promise<Answers> {
    const user = exchange.user ?? owner;
    // One after the other, for the machine is shared.
    return { swift: await swift.send(exchange, user), ours: await ours.send(exchange, user) };
  }

  describe(name, () => {
    beforeAll(async () => {
      server = await startServer({ users: users.join(';'), env: options.env });
      swift = new Endpoint(new URL(swiftUrl), keys);
      ours = new Endpoint(new URL(server.url), keys);
      await sendBoth({ method: 'PUT', path: `/v1/${account}` });
      for (const exchange of preparations.flatMap((requests) => requests())) {
        const answers = await sendBoth(exchange);
        const failed = Object.values(answers).find(({ status }) => status >= 400);
        if (failed) throw new Error(`${exchange.method} ${exchange.path}: ${failed.status} ${failed.body}`);
      }
    }, 120_000);

    afterAll(async () => {
      await swift.send({ method: 'DELETE', path: `/v1/${account}` }, owner);
      await server.close();
      expect(known.filter((entry) => !shown.has(entry))).toEqual([]);
    });

    declare({
      account,
      prepare(requests) {
        preparations.push(requests);
      },
      same(caseName, requests) {
        test(caseName, async () => {
          const unknown: string[] = [];
          const on: Case = {
            async send(exchange) {
              const answers = await sendBoth(exchange);
              for (const difference of compareAnswers(answers.swift, answers.ours, exchange)) {
                const entries = known.filter((entry) => matches(entry, caseName, difference));
                for (const entry of entries) shown.add(entry);
                if (entries.length === 0) unknown.push(describeDifference(exchange, difference));
              }
              return answers;
            },
          };
          if (typeof requests === 'function') await requests(on);
          else for (const exchange of requests) await on.send(exchange);
          expect(unknown.slice(0, maxShown)).toEqual([]);
        });
      },
    });
  });
}

function matches(entry: (typeof knownDifferences)[number], caseName: string, { what }: Difference): boolean {
  const isCase = typeof entry.in === 'string' ? entry.in === caseName : entry.in.test(caseName);
  return isCase && (entry.what === '*' || entry.what === what);
}

function describeDifference(
  { method = 'GET', path, headers, raw }: Exchange,
  { what, swift, ours }: Difference,
): string {
  const request = raw === undefined ? `${method} ${path} ${JSON.stringify(headers ?? {})}` : raw;
  // Of long texts only the part around the first difference is of interest.
  let at = 0;
  while (swift[at] === ours[at]) at++;
  const part = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 60), at + 200));
  return `${request.slice(0, 300)}\n  ${what}: Swift ${part(swift)}, ours ${part(ours)}`;
}
