/**
 * Versions of objects, of both kinds that Swift knows. The store keeps them (`ObjectStore`, docs/decisions): whatever way
 * a write comes, it keeps what it replaces in the same transaction, as its container's record says:
 *
 * - `ContainerRecord.versioning`: 'enabled', 'suspended' or absent (never enabled), set by
 *   `putContainer`/`updateContainer` with `settings: { versioning }`. While enabled, `putObject`, `copyObject` and
 *   `appendObject` resolve with a record that has a `versionId` (a Swift timestamp; X-Object-Version-Id), and `deleteObject`
 *   resolves with `{ existed, markerId }`: the delete marker it added, also where there was no object (answered 404).
 * - `ContainerRecord.archive`: the older kind (X-Versions-Location, X-History-Location).
 * - `ContainerRecord.objectCount` counts current objects, `versionCount` what is kept beside them (delete markers too),
 *   `bytesUsed` all of it. A container with versions cannot be deleted: `versionsLeft`.
 *
 * Reading: a version is part of an object's path. `findObject`, `openObject`, the source of `copyObject` and all that is
 * built on them take `{ account, container, object, versionId }`; `versionId: 'null'` (`nullVersion`) is the current object
 * if it was written without versioning. `isDeleteMarker(record)` tells a marker. Records of current objects in a container
 * that has or had versioning always have a `versionId`, 'null' included.
 *
 * Writing: `deleteObject` with a version deletes it for good and resolves with `{ currentVersionId }`; if it was the current
 * one none is current afterwards, as in Swift. `restoreVersion` makes a version current; `promoteNewest` below does what S3
 * expects after that: the newest version becomes the current one, unless it is a delete marker. There is one null
 * version at most, and only as the current object: as soon as versioning is on and it is replaced it gets an id.
 *
 * Listing: `listVersions(container, { limit, marker?, versionMarker?, prefix?, delimiter?, endMarker?, reverse? })`:
 * by name, newest first, each with `versionId`, `isLatest`, `isDeleteMarker`; subdirs as in `listObjects`.
 *
 * Rights: reading, deleting and restoring a version needs the right to the account (`authorizeVersion`); a container's own
 * ACL gives none of them, as in Swift. Listing them needs what listing the container needs.
 */
export { promoteNewest } from './promote';
export { authorizeVersion } from './version-request';
