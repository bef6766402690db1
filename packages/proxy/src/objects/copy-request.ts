import type { IncomingHttpHeaders } from 'node:http';
import type { ObjectPath } from '@zerocloud/object-server';
import { HttpError, htmlType } from '../errors';
import { decodePercent } from '../swift-path';

/** Where a COPY (its own path is the source) wants its object to go. 412 for paths that are none. */
export function readDestination(headers: IncomingHttpHeaders, account: string): ObjectPath {
  const destination = headers.destination;
  if (!destination) throw refused('Destination header required');
  const sent = headers['destination-account'];
  const target = sent === undefined ? account : accountName(String(sent));
  return { account: target, ...objectPath(String(destination), 'Destination') };
}

/** Where a PUT with X-Copy-From (its own path is the target) gets its object from. */
export function readCopySource(headers: IncomingHttpHeaders, account: string): ObjectPath {
  const sent = headers['x-copy-from-account'];
  const source = sent ? accountName(String(sent)) : account;
  return { account: source, ...objectPath(String(headers['x-copy-from']), 'X-Copy-From') };
}

/** `container/object` percent-encoded, as X-Copied-From shows it. */
export function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/');
}

/** A decoded account of a header; 412 for text that is none. */
export function accountName(value: string): string {
  const name = decoded(value);
  if (name === '') throw refused('Account name cannot be empty');
  if (name.includes('/')) throw refused('Account name cannot contain slashes');
  return name;
}

function objectPath(value: string, header: string): { container: string; object: string } {
  const path = decoded(value);
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  if (!match) throw refused(`${header} header must be of the form <container name>/<object name>`);
  return { container: match[1]!, object: match[2]! };
}

function decoded(value: string): string {
  const text = decodePercent(value);
  if (text === undefined || text.includes('\0')) throw refused('Invalid UTF8 or contains NULL');
  return text;
}

function refused(sentence: string): HttpError {
  return new HttpError(412, sentence, { headers: { 'content-type': htmlType } });
}
