/** CRC-64/NVME, which the AWS command line sends: polynomial, reflected. Halves of 32 bits, for BigInt is slow. */
const polynomial = 0x9a6c9329ac4bc9b5n;
let tables: { high: Uint32Array; low: Uint32Array } | undefined;

function makeTables(): { high: Uint32Array; low: Uint32Array } {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    high[byte] = Number(value >> 32n);
    low[byte] = Number(value & 0xffffffffn);
  }
  return { high, low };
}

export class Crc64 {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(chunk: Uint8Array): void {
    tables ??= makeTables();
    const tableHigh = tables.high;
    const tableLow = tables.low;
    let high = this.#high;
    let low = this.#low;
    for (let i = 0; i < chunk.length; i++) {
      const index = (low ^ chunk[i]!) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ tableLow[index]!;
      high = (high >>> 8) ^ tableHigh[index]!;
    }
    this.#high = high;
    this.#low = low;
  }

  /** Eight bytes, base64. */
  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(~this.#high >>> 0);
    bytes.writeUInt32BE(~this.#low >>> 0, 4);
    return bytes.toString('base64');
  }
}
