import { isUtf8 } from 'node:buffer';
import { invalidArgument } from './errors';

/** The name after which a list goes on, as clients hand it back. */
export function encodeToken(name: string): string {
  return Buffer.from(name).toString('base64');
}

/** `InvalidArgument` for what nobody gave out. */
export function decodeToken(token: string): string {
  const bytes = Buffer.from(token, 'base64');
  const text = bytes.toString('utf8');
  const isWhole = bytes.toString('base64').replace(/=+$/, '') === token.replace(/=+$/, '');
  if (!isWhole || !isUtf8(bytes) || text.includes('\0')) {
    throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  }
  return text;
}
