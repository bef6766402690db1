import type { ServerResponse } from 'node:http';

/**
 * Header names beyond ASCII on the way out. Swift allows UTF-8 in the names of metadata; HTTP does not, so
 * `res.setHeader` refuses them. Everything else about Node's response heads suits us, so such a name is put directly
 * where `setHeader` would have put it. `name` and `value` are bytes as latin1 characters.
 */
export function setUncheckedHeader(res: ServerResponse, name: string, value: string): void {
  outHeadersKey ??= Object.getOwnPropertySymbols(res).find((symbol) => symbol.description === 'kOutHeaders');
  const headers = outHeadersKey && (res as unknown as Record<symbol, OutHeaders | null>)[outHeadersKey];
  // Control characters would end the header line early; they cannot come from a parsed request, but who knows the store.
  if (!headers || control.test(name) || lineBreak.test(value)) return;
  headers[name.toLowerCase()] = [name, value];
}

type OutHeaders = Record<string, [name: string, value: string]>;
let outHeadersKey: symbol | undefined;
const control = /[\0-\x1f\x7f: ]/;
const lineBreak = /[\0\r\n]/;
