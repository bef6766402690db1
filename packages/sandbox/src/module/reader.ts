/** Why a byte string is not an acceptable module. Never leaves `admitModule`. */
export class ModuleRefusal extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'ModuleRefusal';
  }
}

/** Reads the primitive encodings of the wasm binary format; every read is checked against the end. */
export class ModuleReader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    readonly end = bytes.length,
  ) {}

  get atEnd(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    if (this.position >= this.end) throw new ModuleRefusal('unexpected end of module');
    return this.bytes[this.position++]!;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new ModuleRefusal('integer too long');
  }

  /** Steps over `length` bytes and returns where they began. */
  skip(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw new ModuleRefusal('unexpected end of module');
    this.position = start + length;
    return start;
  }

  name(): string {
    const length = this.u32();
    const start = this.skip(length);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + start, length).toString('utf8');
  }

  /** The count that opens a vector, bounded. */
  count(limit: number, what: string): number {
    const count = this.u32();
    if (count > limit) throw new ModuleRefusal(`too many ${what}: ${count}, at most ${limit}`);
    return count;
  }

  finish(what: string): void {
    if (!this.atEnd) throw new ModuleRefusal(`${what} section is longer than its content`);
  }
}

/** Unsigned LEB128. */
export function encodeU32(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return Uint8Array.from(out);
}

/** A name as the format holds it: length and UTF-8. */
export function encodeName(name: string): Uint8Array {
  const text = Buffer.from(name, 'utf8');
  return Buffer.concat([encodeU32(text.length), text]);
}
