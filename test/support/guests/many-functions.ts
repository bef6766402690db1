/** A module of that many functions, each empty, the first of them `_start`. In text it would take a gigabyte to parse. */
export function manyFunctions(count: number): Uint8Array {
  const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const emptyType = [0x60, 0, 0];
  const emptyBody = Buffer.from([2, 0, 0x0b]);
  return Buffer.concat([
    Buffer.from(preamble),
    section(1, [length(1), Buffer.from(emptyType)]),
    section(3, [length(count), Buffer.alloc(count)]),
    section(5, [Buffer.from([1, 0, 1])]),
    section(7, [length(2), exported('memory', 2), exported('_start', 0)]),
    section(10, [length(count), Buffer.alloc(count * emptyBody.length, emptyBody)]),
  ]);
}

function section(id: number, parts: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([id]), length(body.length), body]);
}

function exported(name: string, kind: number): Uint8Array {
  return Buffer.concat([length(name.length), Buffer.from(name), Buffer.from([kind, 0])]);
}

/** LEB128. */
function length(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
