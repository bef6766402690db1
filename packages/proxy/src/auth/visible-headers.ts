import type { Metadata, MetadataUpdate } from '@zerocloud/object-server';

/** Metadata that only owners see and set: they are the rights themselves, or keys that give rights. */
const ownerOnly = new Set([
  'x-container-read',
  'x-container-write',
  'x-container-sync-key',
  'x-container-sync-to',
  'x-account-meta-temp-url-key',
  'x-account-meta-temp-url-key-2',
  'x-container-meta-temp-url-key',
  'x-container-meta-temp-url-key-2',
  'x-account-access-control',
  'x-container-meta-zerovm-suid',
]);

/** What of an account's or container's metadata a caller may see or set. */
export function visibleMetadata<T extends Metadata | MetadataUpdate>(metadata: T, isOwner: boolean): T {
  if (isOwner) return metadata;
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => !ownerOnly.has(name))) as T;
}
