import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chooseJail, type JailRequest } from '@zerocloud/sandbox/jail/choose';
import { formsToTry, meansOf } from '@zerocloud/sandbox/jail/forms';
import { findTool } from '@zerocloud/sandbox/jail/tools';

let workDir: string;
const searchPath = process.env.PATH;

beforeEach(async () => {
  workDir = await mkdtemp(path.join(os.tmpdir(), 'choose-'));
});

afterEach(async () => {
  process.env.PATH = searchPath;
  await rm(workDir, { recursive: true, force: true });
});

const limits = { fileBytes: 1024 ** 2, dataBytes: 2 * 1024 ** 3 };

function choose(changes: Partial<JailRequest> = {}) {
  const events: Record<string, unknown>[] = [];
  const log: JailRequest['log'] = (event, message) => events.push({ ...event, message });
  return { jail: chooseJail({ mode: 'auto', workDir, limits, log, ...changes }), events };
}

/** A program found before the real one. */
async function pretend(name: string, script: string): Promise<void> {
  const file = path.join(workDir, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  process.env.PATH = `${workDir}${path.delimiter}${searchPath}`;
}

test('root has a user for each slot, others have not', () => {
  expect(formsToTry(true)).toEqual(['full', 'namespaces', 'user', 'limits', 'permissions', 'none']);
  expect(formsToTry(false)).toEqual(['full', 'namespaces', 'limits', 'permissions', 'none']);
  expect([meansOf('full', true).user, meansOf('full', false).user]).toEqual([true, false]);
});

test('a jail that is off is none, and is said so', async () => {
  const { jail, events } = choose({ mode: 'off' });
  expect((await jail).form).toBe('none');
  expect(events).toEqual([{ jail: 'none', message: expect.stringContaining('as configured') }]);
});

test('the form found is logged once', async () => {
  const { jail, events } = choose();
  const { form } = await jail;
  expect(events).toEqual([expect.objectContaining({ jail: form })]);
});

test('a bubblewrap that cannot make namespaces leads to a weaker form, and the reason is logged', async () => {
  await pretend('bwrap', 'echo "bwrap: No permissions to create new namespace" >&2; exit 1');
  const { jail, events } = choose();
  expect(['user', 'limits', 'permissions']).toContain((await jail).form);
  expect(events).toEqual([expect.objectContaining({ missing: expect.stringContaining('No permissions to create') })]);
});

test('a bubblewrap that confines nothing is found out', async () => {
  // Skips its own options: everything up to "--".
  await pretend('bwrap', 'while [ "$1" != "--" ]; do shift; done; shift; exec "$@"');
  const { jail, events } = choose();
  expect(['user', 'limits', 'permissions']).toContain((await jail).form);
  expect(events[0]!.missing).toMatch(/sees files outside of its slot.*sees processes of the host/);
});

test('a form that is required and not to be had is refused with what is missing', async () => {
  await pretend('bwrap', 'echo "bwrap: No permissions to create new namespace" >&2; exit 1');
  await expect(choose({ mode: 'require' }).jail).rejects.toMatchObject({
    code: 'jail-unavailable',
    message: expect.stringMatching(/^no full jail for programs here: .*No permissions to create new namespace$/),
  });
});

test('limits that hold nothing are found out', async () => {
  await pretend('prlimit', 'while case $1 in --*) true ;; *) false ;; esac; do shift; done; exec "$@"');
  const { jail, events } = choose();
  expect((await jail).form).toBe('permissions');
  expect(events[0]!.missing).toContain(findTool('bwrap') ? 'has no limit of file size' : 'bubblewrap');
});

test('a tool is looked for in PATH and then where tools usually are', async () => {
  await pretend('sh', 'exit');
  expect(findTool('sh')).toBe(path.join(workDir, 'sh'));
  expect(findTool('sh', '')).toMatch(/bin\/sh$/);
  expect(findTool('no-such-tool')).toBeUndefined();
});
