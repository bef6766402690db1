import type { ServerResponse } from 'node:http';

const letterX = 0x78;
const internal =
  /^x-(?:(?:account|container|object)-sysmeta-|object-transient-sysmeta-|backend|account-(?:host|device|partition)$|container-(?:host|device|partition|root-db-state)$|delete-at-(?:host|device|partition|container)$)/;

/** True for the names of the server's own notes, which no client sends or sees (Swift's gatekeeper.py). In lower case. */
export function isInternalHeader(name: string): boolean {
  return name.charCodeAt(0) === letterX && internal.test(name);
}

/** The last look at an answer before its head goes out. */
export function removeInternalHeaders(res: ServerResponse): void {
  if (res.headersSent) return;
  for (const name of res.getHeaderNames()) if (isInternalHeader(name)) res.removeHeader(name);
}
