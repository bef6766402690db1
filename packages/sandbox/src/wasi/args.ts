import { errno } from './errno';
import type { GuestMemory } from './guest-memory';

/** What a guest is started with. */
export interface GuestArguments {
  /** argv, argv[0] included. */
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** `args_*` and `environ_*`: two lists of NUL-terminated strings. Text is cut at a NUL of its own. */
export function argumentFunctions(memory: GuestMemory, guest: () => GuestArguments) {
  const argv = new StringList(memory, () => guest().args);
  const environ = new StringList(memory, () => Object.entries(guest().env).map(([name, value]) => `${name}=${value}`));
  return {
    args_get: (pointers: number, buffer: number) => argv.write(pointers, buffer),
    args_sizes_get: (count: number, bytes: number) => argv.writeSizes(count, bytes),
    environ_get: (pointers: number, buffer: number) => environ.write(pointers, buffer),
    environ_sizes_get: (count: number, bytes: number) => environ.writeSizes(count, bytes),
  };
}

/** Encoded when the guest first asks, for many a guest never does. */
class StringList {
  private content: Uint8Array | undefined;
  private readonly offsets: number[] = [];

  constructor(
    private readonly memory: GuestMemory,
    private readonly texts: () => readonly string[],
  ) {}

  writeSizes(countPointer: number, bytesPointer: number): number {
    const { byteLength } = this.encoded();
    this.memory.check(bytesPointer, 4);
    this.memory.setUint32(countPointer, this.offsets.length);
    this.memory.setUint32(bytesPointer, byteLength);
    return errno.success;
  }

  write(pointers: number, buffer: number): number {
    const content = this.encoded();
    const start = this.memory.check(buffer, content.byteLength);
    const table = this.memory.check(pointers, this.offsets.length * 4);
    this.memory.bytes.set(content, start);
    this.offsets.forEach((offset, i) => {
      this.memory.setUint32(table + i * 4, start + offset);
    });
    return errno.success;
  }

  private encoded(): Uint8Array {
    if (this.content === undefined) {
      let offset = 0;
      const parts = this.texts().map((text) => Buffer.from(`${text.split('\0', 1)[0]}\0`));
      for (const part of parts) {
        this.offsets.push(offset);
        offset += part.byteLength;
      }
      this.content = Buffer.concat(parts);
    }
    return this.content;
  }
}
