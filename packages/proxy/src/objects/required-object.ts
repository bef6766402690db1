import type { IncomingHttpHeaders } from 'node:http';
import type { RequiredObject } from '@zerocloud/object-server';

/** A request of the server's own names so what its write depends on. A write whose requirement is not met is refused with 409. */
const requiredName = 'x-backend-required-object';

export function requireObject(required: RequiredObject): Record<string, string> {
  return { [requiredName]: encodeURIComponent(JSON.stringify(required)) };
}

/** The gatekeeper takes the header from clients. */
export function findRequiredObject(headers: IncomingHttpHeaders): RequiredObject | undefined {
  const header = headers[requiredName];
  return header === undefined ? undefined : (JSON.parse(decodeURIComponent(header as string)) as RequiredObject);
}
