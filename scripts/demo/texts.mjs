/** The demo's input: the prose that every JavaScript project carries with it. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** READMEs, licences, changelogs and other prose; and type declarations, which are mostly documentation. */
const prose =
  /^(readme|licen[sc]e|changelog|history|notice|authors|contributing|security)|\.(md|markdown|txt|rst)$|\.d\.ts$/i;

/**
 * Text files below `directory`, of 1 KiB to 1 MiB each: all prose, then the largest type declarations until
 * `enoughBytes` are together.
 * @returns {Promise<{ file: string, name: string, sizeBytes: number }[]>}
 */
export async function findTexts(directory, enoughBytes) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = [];
  for (const entry of entries) {
    if (!entry.isFile() || !prose.test(entry.name)) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const { size } = await stat(file);
    if (size >= 1 << 10 && size <= 1 << 20) found.push({ file, name: path.relative(directory, file), sizeBytes: size });
  }
  found.sort((a, b) => isDeclaration(a) - isDeclaration(b) || b.sizeBytes - a.sizeBytes);
  let totalBytes = 0;
  return found.filter((text) => {
    if (isDeclaration(text) && totalBytes >= enoughBytes) return false;
    totalBytes += text.sizeBytes;
    return true;
  });
}

const isDeclaration = (text) => Number(text.name.endsWith('.d.ts'));
