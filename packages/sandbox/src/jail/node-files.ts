import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const listTimeoutMs = 10_000;

/** The compiled sandbox package, which imports nothing but itself and Node. */
const packageDirectory = path.join(__dirname, '..', '..');

/**
 * The files that an executor needs to start: Node, the shared libraries that it loads (asked of a Node process, since
 * the server has others loaded too), and the compiled sandbox package.
 */
export async function listNodeFiles(): Promise<string[]> {
  const script = 'console.log(JSON.stringify(process.report.getReport().sharedObjects))';
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { env: {}, timeout: listTimeoutMs });
  const libraries = (JSON.parse(stdout) as string[]).filter((file) => path.isAbsolute(file) && existsSync(file));
  return [
    process.execPath,
    ...libraries,
    path.join(packageDirectory, 'package.json'),
    path.join(packageDirectory, 'dist'),
  ];
}
