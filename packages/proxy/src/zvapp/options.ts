import { parseArgs } from 'node:util';
import { UsageError } from '@zerocloud/sandbox/cli/zvsh-options';

/** What `zvapp` was asked for. */
export interface ZvappOptions {
  /** A job description, an archive or a script, or the directory of an application. */
  application: string;
  rootPath?: string;
  accountPath?: string;
  sysimagePath?: string;
  saveDir?: string;
  dryRun: boolean;
}

export const zvappUsage = 'usage: zvapp [options] EXEC_FILE\n';

export const zvappHelp = `${zvappUsage}
Runs a whole job on this machine, without a server: every node of it, with files
of yours in place of objects.

EXEC_FILE is one of
  a job description (JSON); file://PROGRAM in it is a file beside it
  an application: a tar archive, also gzipped, with boot/system.map
  the directory of an application, with boot/system.map or zapp.yaml
  a script that begins with #! and the URL of its interpreter

options:
  --swift-root-path DIR     swift://a/c/o is the file DIR/a/c/o
                            (default: the current directory)
  --swift-account-path DIR  swift://<any>/c/o is the file DIR/c/o
  --sysimage-root-path DIR  every tar archive in DIR is a system image, named
                            after it without extension
  --zvm-save-dir DIR        keep the nodes of the job and their reports there
  --dry-run                 print the nodes of the job as JSON, run nothing
  -h, --help                this text

A job that counts the words of every text in the directory data/texts, for the
account path "data":

  [{"name": "count",
    "exec": {"path": "file://python:python", "args": "/dev/script"},
    "devices": [
      {"name": "script", "path": "swift://~/programs/count.py"},
      {"name": "stdin", "path": "swift://~/texts/*.txt"},
      {"name": "stdout"},
      {"name": "stderr", "path": "swift://~/logs/*.log"}]}]

  zvapp --swift-account-path data count.json

First comes the report of every node, then what the nodes wrote to devices without
a path. A device stdin without a path reads the standard input. The exit code is 1
if the job could not be run, whatever its programs return.
`;

export type ZvappRequest = { kind: 'help' } | { kind: 'run'; options: ZvappOptions };

/** Throws `UsageError`. */
export function parseZvappOptions(argv: readonly string[]): ZvappRequest {
  const { values, positionals } = parse(argv);
  if (values.help) return { kind: 'help' };
  const [application] = positionals;
  if (!application) throw new UsageError('too few arguments: EXEC_FILE is missing');
  if (positionals.length > 1) throw new UsageError(`unrecognized arguments: ${positionals.slice(1).join(' ')}`);
  return {
    kind: 'run',
    options: {
      application,
      rootPath: values['swift-root-path'],
      accountPath: values['swift-account-path'],
      sysimagePath: values['sysimage-root-path'],
      saveDir: values['zvm-save-dir'],
      dryRun: values['dry-run'] ?? false,
    },
  };
}

const options = {
  'swift-root-path': { type: 'string' },
  'swift-account-path': { type: 'string' },
  'sysimage-root-path': { type: 'string' },
  'zvm-save-dir': { type: 'string' },
  'dry-run': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
