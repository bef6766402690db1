/** Guests of the bench are readable text; this makes modules of them. */
import { readFile } from 'node:fs/promises';
import wabt from 'wabt';

/** @param {URL} url of a `.wat` file */
export async function compileWat(url) {
  const { parseWat } = await wabt();
  return Buffer.from(parseWat(url.pathname, await readFile(url, 'utf8')).toBinary({}).buffer);
}
