import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BuildError, run } from './tools.mjs';

/**
 * Fetches and unpacks Debian's source packages. They need `deb-src` entries, which most machines do not have: they are made
 * from the machine's own entries, in lists of ours, so that neither root nor a change of the system's lists is needed.
 */
export async function fetchSources(workDir) {
  const apt = path.join(workDir, 'apt');
  const lists = path.join(apt, 'sources.list.d');
  for (const directory of [lists, 'state/lists/partial', 'cache/archives/partial']) {
    await mkdir(path.resolve(apt, directory), { recursive: true });
  }
  const entries = await readEntries();
  if (entries.length === 0) throw new BuildError('no Debian archive is configured in /etc/apt');
  for (const [i, { extension, text }] of entries.entries()) {
    await writeFile(path.join(lists, `source-${i}.${extension}`), text);
  }
  const options = [
    ['Dir::Etc::SourceList', '/dev/null'],
    ['Dir::Etc::SourceParts', lists],
    ['Dir::State', path.join(apt, 'state')],
    ['Dir::State::status', '/var/lib/dpkg/status'],
    ['Dir::Cache', path.join(apt, 'cache')],
    ['APT::Get::List-Cleanup', 'false'],
    ['APT::Sandbox::User', ''],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, '-qq', 'update']);
  const downloads = path.join(workDir, 'sources');
  await mkdir(downloads);
  const download = (name) => run('apt-get', [...options, '-qq', '--download-only', 'source', name], { cwd: downloads });
  await download('zlib');
  // The newest version may not have reached the mirror yet: any of Debian's versions of 3.11 will do.
  const versions = (await run('apt-cache', [...options, 'madison', 'python3.11']))
    .split('\n')
    .map((line) => line.split('|')[1]?.trim())
    .filter(Boolean);
  if (versions.length === 0) throw new BuildError("Debian's archive has no source of python3.11; Debian 12 has it");
  let failure;
  for (const version of new Set(versions)) {
    failure = await download(`python3.11=${version}`).then(
      () => undefined,
      (error) => error,
    );
    if (!failure) break;
  }
  if (failure) throw failure;
  return {
    python: await unpack(downloads, /^python3\.11_.*\.dsc$/),
    zlib: await unpack(downloads, /^zlib_.*\.dsc$/),
  };
}

async function unpack(downloads, pattern) {
  const description = (await readdir(downloads)).find((name) => pattern.test(name));
  if (!description) throw new BuildError(`apt-get source did not bring ${pattern}`);
  const directory = path.join(downloads, description.replace(/_.*/, ''));
  await run('dpkg-source', ['--no-check', '-x', description, directory], { cwd: downloads });
  return directory;
}

/** Debian's own entries of the machine, as source entries in the format they have. */
async function readEntries() {
  const files = ['/etc/apt/sources.list'];
  for (const name of await readdir('/etc/apt/sources.list.d').catch(() => []))
    files.push(`/etc/apt/sources.list.d/${name}`);
  const entries = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.sources')) {
      const stanzas = text.split(/\n\s*\n/).filter((stanza) => /^Types:.*\bdeb\b/m.test(stanza) && isDebian(stanza));
      if (stanzas.length === 0) continue;
      const sources = stanzas.map((stanza) => stanza.replace(/^Types:.*$/m, 'Types: deb-src'));
      entries.push({ extension: 'sources', text: `${sources.join('\n\n')}\n` });
    } else if (file.endsWith('.list')) {
      const lines = text.split('\n').filter((line) => /^deb\s/.test(line) && isDebian(line));
      if (lines.length === 0) continue;
      entries.push({
        extension: 'list',
        text: `${lines.map((line) => line.replace(/^deb\s/, 'deb-src ')).join('\n')}\n`,
      });
    }
  }
  return entries;
}

function isDebian(entry) {
  return /debian-archive-keyring|\/debian(-security)?\/?(\s|$)/m.test(entry);
}
