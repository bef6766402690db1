import { standardFds, writeBytes, writeText } from '@zerocloud/sandbox/cli/standard-streams';
import type { NodeOutcome } from '../jobs/outcome';
import type { SaveDirectory } from './save-directory';

/** Reports by name of the node, then the outputs without a path in the same order. Errors go to standard error. */
export async function printOutcomes(outcomes: readonly NodeOutcome[], saves: SaveDirectory | undefined): Promise<void> {
  const sorted = outcomes
    .map((outcome, index) => ({ outcome, id: index + 1 }))
    .sort((one, other) => compare(one.outcome.node.name, other.outcome.node.name));
  for (const { outcome, id } of sorted) {
    const { name } = outcome.node;
    const report = formatOutcome(outcome);
    saves?.saveReport(name, report);
    writeText(standardFds.stdout, `---------- Node: ${name} id: ${id} ---------\n${report}\n`);
    for (const text of [outcome.error, outcome.detail]) {
      if (text !== undefined) writeText(standardFds.stderr, `zvapp: ${name}: ${text}\n`);
    }
  }
  writeText(standardFds.stdout, '========== Result ==========\n');
  for (const { outcome } of sorted) {
    const body = outcome.returned?.body;
    if (body === undefined) continue;
    if (Buffer.isBuffer(body)) writeBytes(standardFds.stdout, body);
    else for await (const chunk of body) writeBytes(standardFds.stdout, chunk);
  }
}

/** ZeroVM's six lines. */
function formatOutcome({ validation, exitCode, etag, accounting, state }: NodeOutcome): string {
  return [validation, 0, exitCode, etag, accounting, state].map((line) => `${line}\n`).join('');
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
