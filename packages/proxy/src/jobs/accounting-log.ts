import { isStorageError } from '@zerocloud/object-server';
import type { Deps, RequestState } from '../context';
import type { NodeOutcome } from './outcome';

/** Lines of one append; an object takes two of these at least. */
const maxAppendBytes = 24 * 1024;

/** Longest line: a node's name may be as long as a job description. */
const maxLineBytes = 4096;

/** Accounts whose last log object is remembered. */
const maxKnown = 10_000;

/**
 * Accounting lines as objects: account `userstats`, a container for each account that runs jobs, and in it a log for each
 * day (UTC), `2026/11/22.log`. Logs grow by appending; a full one is followed by `22.log.000001`, and so on.
 */
export class AccountingLog {
  readonly #deps: Deps;
  /** By account: the day, and the number of the object that is not full yet. */
  readonly #known = new Map<string, { day: string; number: number }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** The lines of one job; they are stored when it ends, before it is answered. */
  begin({ path, transactionId }: RequestState): JobLines {
    return new JobLines(transactionId, this.#deps.now, (day, lines) => this.#store(path.account, day, lines));
  }

  async #store(account: string, day: string, lines: string[]): Promise<void> {
    try {
      let pending = '';
      for (const line of lines) {
        if (pending.length + line.length > maxAppendBytes) {
          await this.#append(account, day, Buffer.from(pending));
          pending = '';
        }
        pending += line;
      }
      if (pending) await this.#append(account, day, Buffer.from(pending));
    } catch (err) {
      // The job is done, whatever becomes of its accounting.
      this.#deps.log.error({ account, day, err }, 'accounting lines could not be stored');
    }
  }

  async #append(account: string, day: string, data: Buffer): Promise<void> {
    const { node, config, now } = this.#deps;
    const container = { account: config.jobs.userStatsAccount, container: account };
    let known = this.#known.get(account);
    if (known?.day !== day) known = { day, number: await this.#findLast(container, day) };
    const timestamp = (now() / 1000).toFixed(5);
    for (;;) {
      try {
        const path = { ...container, object: objectName(day, known.number) };
        await node.appendObject(path, data, { timestamp, contentType: 'text/plain' });
        break;
      } catch (error) {
        if (isStorageError(error, 'objectTooLarge')) known = { day, number: known.number + 1 };
        else if (isStorageError(error, 'containerNotFound'))
          await node.putContainer(container, { timestamp, metadata: {} });
        else throw error;
      }
    }
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(account, known);
  }

  /** Number of the day's last object; 0 when there is none. */
  async #findLast(container: { account: string; container: string }, day: string): Promise<number> {
    try {
      const prefix = objectName(day, 0);
      const [last] = await this.#deps.node.listObjects(container, { prefix, reverse: true, limit: 1 });
      return last && 'name' in last ? Number(last.name.slice(prefix.length + 1)) || 0 : 0;
    } catch (error) {
      if (isStorageError(error, 'containerNotFound')) return 0;
      throw error;
    }
  }
}

function objectName(day: string, number: number): string {
  return number === 0 ? `${day}.log` : `${day}.log.${String(number).padStart(6, '0')}`;
}

/** What the nodes of one job cost, a line each: `<time> <transaction id> <node> (<cdr line>) [<status>]`. */
export class JobLines {
  readonly #lines: string[] = [];
  #day = '';

  constructor(
    private readonly transactionId: string,
    private readonly now: () => number,
    private readonly append: (day: string, lines: string[]) => Promise<void>,
  ) {}

  add(outcome: NodeOutcome): void {
    const [date = '', time = ''] = new Date(this.now()).toISOString().split(/[T.]/);
    // A job that runs over midnight belongs to the day of its first node.
    this.#day ||= date.replaceAll('-', '/');
    const name = outcome.node.name.slice(0, maxLineBytes);
    this.#lines.push(`${date} ${time} ${this.transactionId} ${name} (${outcome.cdr}) [${outcome.status}]\n`);
  }

  /** Resolves when the lines are stored, or given up with a line in the server's log. */
  async store(): Promise<void> {
    if (this.#lines.length > 0) await this.append(this.#day, this.#lines);
  }
}
