import type { IncomingHttpHeaders } from 'node:http';
import type { Metadata, MetadataUpdate } from '@zerocloud/object-server';
import { isTrueValue } from '../http/query';

type Owner = 'account' | 'container';

const storedName = (owner: Owner) => `x-${owner}-sysmeta-rfc-compliant-etags`;

/** What `X-Container-Rfc-Compliant-Etags` (or `X-Account-…`) of a PUT or POST changes; empty or removed, the switch goes. */
export function readEtagSwitch(headers: IncomingHttpHeaders, owner: Owner): MetadataUpdate {
  const value = headers[`x-${owner}-rfc-compliant-etags`];
  if (headers[`x-remove-${owner}-rfc-compliant-etags`]) return { [storedName(owner)]: undefined };
  if (value === undefined) return {};
  return { [storedName(owner)]: value === '' ? undefined : isTrueValue(value) ? 'True' : 'False' };
}

/** The switch as it was set; `undefined` when nobody did. */
export function findEtagSwitch(metadata: Metadata | undefined, owner: Owner): boolean | undefined {
  const stored = metadata?.[storedName(owner)];
  return stored === undefined ? undefined : stored === 'True';
}

/** For GET and HEAD of the owner. */
export function etagSwitchHeader(metadata: Metadata, owner: Owner): Record<string, string> {
  const stored = metadata[storedName(owner)];
  const name = owner === 'account' ? 'X-Account-Rfc-Compliant-Etags' : 'X-Container-Rfc-Compliant-Etags';
  return stored === undefined ? {} : { [name]: stored };
}
