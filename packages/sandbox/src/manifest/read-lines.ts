import { manifestLimits } from './manifest';
import { SessionError, sessionCode } from './session-error';

export interface ManifestLine {
  /** From 1. */
  number: number;
  key: string;
  value: string;
}

/** The lines that count: those with exactly one `=`. Blanks around key and value do not count. */
export function readLines(text: string): ManifestLine[] {
  const lines = text.split('\n');
  if (Buffer.byteLength(text) > manifestLimits.bytes || lines.length > manifestLimits.lines + 1) {
    throw new SessionError('manifest read error', sessionCode.fault);
  }
  return lines.flatMap((line, index) => {
    const [key, value, ...more] = line.split('=');
    if (value === undefined || more.length > 0) return [];
    return { number: index + 1, key: key!.trim(), value: value.trim() };
  });
}

/** A decimal, hexadecimal (`0x`) or octal (leading zero) number of at most 64 bits; undefined for anything else. */
export function findInteger(text: string): number | undefined {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (!match) return undefined;
  const digits = match[2]!;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (magnitude > 0x7fff_ffff_ffff_ffffn) return undefined;
  return match[1] === '-' ? Number(-magnitude) : Number(magnitude);
}
