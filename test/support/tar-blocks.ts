/** Tar blocks made by hand, for what no honest tar writer produces. */

export interface HeaderFields {
  name: string;
  type?: string;
  linkName?: string;
  prefix?: string;
  magic?: string;
  /** In the header; the content may be another one. */
  sizeBytes?: number;
  base256?: boolean;
  negativeSize?: boolean;
}

export function tarHeader(fields: HeaderFields): Buffer {
  const { name, type = '0', linkName = '', prefix = '', magic = 'ustar\0', sizeBytes = 0 } = fields;
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  if (fields.negativeSize) block.fill(0xff, 124, 136);
  else if (fields.base256) writeBase256(block, sizeBytes);
  else block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  block.write('14525210000\0', 136);
  block.write(type, 156);
  block.write(linkName, 157, 100);
  block.write(magic, 257);
  block.write(prefix, 345, 155);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A header with its content, padded to blocks. */
export function member(fields: HeaderFields, content = ''): Buffer {
  const data = Buffer.from(content);
  const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
  return Buffer.concat([tarHeader({ sizeBytes: data.length, ...fields }), data, padding]);
}

export function paxRecords(records: Record<string, string>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      let length = rest + String(rest).length;
      if (String(length).length + rest !== length) length = rest + String(length).length;
      return `${length} ${key}=${value}\n`;
    })
    .join('');
}

export const endOfArchive = Buffer.alloc(1024);

function writeBase256(block: Buffer, value: number): void {
  let rest = value;
  for (let at = 135; at > 124; at--) {
    block[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  block[124] = 0x80;
}
