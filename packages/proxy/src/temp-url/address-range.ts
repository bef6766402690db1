import { BlockList, isIP } from 'node:net';

/**
 * Whether the client's address lies in `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `2001:db8::/32` or is the one address given,
 * as Python's `ip_network` reads them: bits behind the prefix make a range invalid. False for what is no range.
 */
export function isAddressInRange(address: string | undefined, range: string): boolean {
  if (address === undefined) return false;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  const client = mapped ? mapped[1]! : address;
  const [network = '', mask, more] = range.split('/');
  const family = isIP(network);
  if (family === 0 || more !== undefined || family !== isIP(client)) return false;
  const bits = family === 4 ? 32 : 128;
  const prefix = mask === undefined ? bits : prefixLength(mask, bits);
  if (prefix === undefined || hasHostBits(network, family, prefix)) return false;
  const list = new BlockList();
  const type = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(network, prefix, type);
  return list.check(client, type);
}

function prefixLength(mask: string, bits: number): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask) <= bits ? Number(mask) : undefined;
  if (bits !== 32 || isIP(mask) !== 4) return undefined;
  const binary = ipv4Bits(mask);
  // A netmask, or its opposite.
  return (/^(1*)0*$/.exec(binary) ?? /^(0*)1*$/.exec(binary))?.[1]?.length;
}

function ipv4Bits(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
}

function hasHostBits(network: string, family: number, prefix: number): boolean {
  const binary = family === 4 ? ipv4Bits(network) : ipv6Bits(network);
  return binary.slice(prefix).includes('1');
}

function ipv6Bits(address: string): string {
  // The URL parser knows every spelling and writes the shortest.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}
