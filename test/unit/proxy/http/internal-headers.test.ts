import { isInternalHeader } from '@zerocloud/proxy/http/internal-headers';

test.each([
  'x-account-sysmeta-core-access-control',
  'x-container-sysmeta-anything',
  'x-object-sysmeta-x',
  'x-object-transient-sysmeta-x',
  'x-backend-replication',
  'x-backendish',
  'x-account-host',
  'x-container-partition',
  'x-container-root-db-state',
  'x-delete-at-container',
])('%s stays inside', (name) => {
  expect(isInternalHeader(name)).toBe(true);
});

test.each([
  'x-account-meta-sysmeta',
  'x-container-meta-x-backend',
  'x-account-hosts',
  'x-delete-at',
  'x-delete-at-containers',
  'content-type',
  'etag',
  'x-timestamp',
])('%s crosses the border', (name) => {
  expect(isInternalHeader(name)).toBe(false);
});
