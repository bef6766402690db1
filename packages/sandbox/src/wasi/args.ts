import { errno } from './errno';
import type { GuestMemory } from './guest-memory';

/** `args_*` and `environ_*`: two lists of NUL-terminated strings. Text is cut at a NUL of its own. */
export function argumentFunctions(memory: GuestMemory, args: string[], env: Record<string, string>) {
  const argv = new StringList(memory, args);
  const environ = new StringList(
    memory,
    Object.entries(env).map(([name, value]) => `${name}=${value}`),
  );
  return {
    args_get: (pointers: number, buffer: number) => argv.write(pointers, buffer),
    args_sizes_get: (count: number, bytes: number) => argv.writeSizes(count, bytes),
    environ_get: (pointers: number, buffer: number) => environ.write(pointers, buffer),
    environ_sizes_get: (count: number, bytes: number) => environ.writeSizes(count, bytes),
  };
}

class StringList {
  private readonly content: Uint8Array;
  private readonly offsets: number[] = [];

  constructor(
    private readonly memory: GuestMemory,
    texts: string[],
  ) {
    let offset = 0;
    const parts = texts.map((text) => Buffer.from(`${text.split('\0', 1)[0]}\0`));
    for (const part of parts) {
      this.offsets.push(offset);
      offset += part.byteLength;
    }
    this.content = Buffer.concat(parts);
  }

  writeSizes(countPointer: number, bytesPointer: number): number {
    this.memory.check(bytesPointer, 4);
    this.memory.setUint32(countPointer, this.offsets.length);
    this.memory.setUint32(bytesPointer, this.content.byteLength);
    return errno.success;
  }

  write(pointers: number, buffer: number): number {
    const start = this.memory.check(buffer, this.content.byteLength);
    const table = this.memory.check(pointers, this.offsets.length * 4);
    this.memory.bytes.set(this.content, start);
    this.offsets.forEach((offset, i) => {
      this.memory.setUint32(table + i * 4, start + offset);
    });
    return errno.success;
  }
}
