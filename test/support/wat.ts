import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import wabt from 'wabt';

const guestDirectory = join(__dirname, 'guests');

/** Binary of `test/support/guests/<name>.wat`. */
export function assembleGuest(name: string): Promise<Uint8Array> {
  return assembleWat(readFileSync(join(guestDirectory, `${name}.wat`), 'utf8'), name);
}

/** Binary of a module in text form. */
export async function assembleWat(text: string, name = 'guest'): Promise<Uint8Array> {
  const module = (await wabt()).parseWat(`${name}.wat`, text);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}
