#!/usr/bin/env node
/**
 * `npm run image:python [-- DIRECTORY]`: builds CPython for WASI from Debian's source package with Debian's compiler at -O3,
 * as a system image that the server uses for `python` in place of the slower one from npm. Takes about four minutes on two
 * cores and 1 GB below the temporary directory. The default directory is ./images/python.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildPython, buildZlib } from './build.mjs';
import { writeImage } from './image.mjs';
import { fetchSources } from './sources.mjs';
import { BuildError, checkTools } from './tools.mjs';

const repository = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const [target = path.join(repository, 'images', 'python'), ...rest] = process.argv.slice(2);

if (target.startsWith('-') || rest.length > 0) {
  process.stdout.write(
    'npm run image:python [-- DIRECTORY]: builds the Python system image (default ./images/python).\n',
  );
  process.exit(target === '--help' ? 0 : 1);
}

const step = (text) => process.stdout.write(`${text}\n`);
const workDir = await mkdtemp(path.join(os.tmpdir(), 'image-python-'));
let failed = false;
try {
  const tools = await checkTools();
  step('1/5 fetching the sources of python3.11 and zlib …');
  const sources = await fetchSources(workDir);
  step('2/5 building zlib …');
  const zlib = await buildZlib(tools, sources.zlib, workDir);
  step('3/5 configuring Python …');
  const python = await buildPython(tools, sources.python, {
    zlib,
    workDir,
    onConfigured: () => step('4/5 compiling …'),
  });
  step('5/5 writing the image …');
  await writeImage(tools, python, path.resolve(target));
  step(`${path.resolve(target)} is ready; servers started from now on use it for python.`);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  failed = true;
} finally {
  if (failed && process.env.KEEP_BUILD) process.stderr.write(`kept ${workDir}\n`);
  else await rm(workDir, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
