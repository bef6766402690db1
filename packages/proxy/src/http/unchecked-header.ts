import type { ServerResponse } from 'node:http';

/**
 * Header names beyond ASCII on the way out. Swift allows UTF-8 in the names of metadata; HTTP does not, so
 * `res.setHeader` refuses them. Everything else about Node's response heads suits us, so such a name is put directly
 * where `setHeader` would have put it. `name` and `value` are bytes as latin1 characters.
 */
export function setUncheckedHeader(res: ServerResponse, name: string, value: string): void {
  // Control characters would end the header line early; they cannot come from a parsed request, but who knows the store.
  if (!control.test(name) && !lineBreak.test(value)) setOwnHeader(res, name.toLowerCase(), name, value);
}

/**
 * A header whose name and value are made by the server itself (numbers, dates, digests): what `setHeader` checks of them
 * costs as much as the rest of a small answer's head. `key` is the name in lower case.
 */
export function setOwnHeader(res: ServerResponse, key: string, name: string, value: string | number): void {
  outHeadersKey ??= Object.getOwnPropertySymbols(res).find((symbol) => symbol.description === 'kOutHeaders');
  const headers = outHeadersKey && (res as unknown as Record<symbol, OutHeaders | null>)[outHeadersKey];
  if (headers) headers[key] = [name, value];
  else res.setHeader(name, value);
}

type OutHeaders = Record<string, [name: string, value: string | number]>;
let outHeadersKey: symbol | undefined;
const control = /[\0-\x1f\x7f: ]/;
const lineBreak = /[\0\r\n]/;
