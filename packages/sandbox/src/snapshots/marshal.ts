/** What can be handed to Python: the values that its `marshal` module reads without help. */
export type MarshalValue = null | number | string | readonly MarshalValue[];

/** Encodes a value in Python's marshal format (unchanged since Python 2 for these types); lists become tuples. */
export function encodeMarshal(value: MarshalValue): Uint8Array {
  const parts: Uint8Array[] = [];
  append(parts, value);
  return Buffer.concat(parts);
}

function append(parts: Uint8Array[], value: MarshalValue): void {
  if (value === null) {
    parts.push(Buffer.from('N'));
  } else if (typeof value === 'number') {
    parts.push(header('i', value));
  } else if (typeof value === 'string') {
    const text = Buffer.from(value, 'utf8');
    parts.push(header('u', text.length), text);
  } else {
    parts.push(header('(', value.length));
    for (const item of value) append(parts, item);
  }
}

function header(type: string, number: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 0, 'latin1');
  bytes.writeInt32LE(number, 1);
  return bytes;
}
