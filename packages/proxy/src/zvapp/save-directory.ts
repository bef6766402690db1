import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { reasonOf } from '@zerocloud/sandbox/cli/standard-streams';
import { UsageError } from '@zerocloud/sandbox/cli/zvsh-options';
import type { NodeDescription } from './describe-nodes';

/** What stays of a job: `nodes.json`, and for every node `report.<node>`. Nothing else in the directory is touched. */
export class SaveDirectory {
  private readonly directory: string;

  /** Throws `UsageError`. */
  constructor(directory: string) {
    this.directory = path.resolve(directory);
    try {
      mkdirSync(this.directory, { recursive: true });
    } catch (error) {
      throw new UsageError(`directory ${directory} cannot be made: ${reasonOf(error)}`);
    }
  }

  saveNodes(nodes: readonly NodeDescription[]): void {
    this.save('nodes.json', `${JSON.stringify(nodes, undefined, 2)}\n`);
  }

  saveReport(node: string, report: string): void {
    // A node may be called what no file can be.
    this.save(`report.${encodeURIComponent(node).slice(0, 240)}`, report);
  }

  private save(name: string, text: string): void {
    writeFileSync(path.join(this.directory, name), text);
  }
}
