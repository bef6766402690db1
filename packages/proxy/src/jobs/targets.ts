import { findExcess, type ObjectPath } from '@zerocloud/object-server';
import type { SwiftLimits } from '../config';
import { findExcessiveLength } from '../http/name-length';
import type { Device } from './description';
import { badJob } from './errors';
import { pathText } from './urls';

export type TargetLimits = Pick<
  SwiftLimits,
  | 'maxMetaNameLength'
  | 'maxMetaValueLength'
  | 'maxMetaCount'
  | 'maxMetaOverallSize'
  | 'maxHeaderSize'
  | 'maxObjectNameLength'
  | 'maxContainerNameLength'
>;

/** An output is stored by an ordinary PUT in all but name, so its name and metadata must pass what a PUT must pass. */
export function checkTarget(path: ObjectPath, device: Device, limits: TargetLimits): void {
  // What stars took may be nothing, or have a slash in it.
  if (path.object === '' || path.container === '' || path.container.includes('/')) {
    throw badJob(`Invalid path swift:/${pathText(path)} in output of wildcards`);
  }
  const length = findExcessiveLength(path.object, limits.maxObjectNameLength);
  if (length !== undefined) {
    throw badJob(`Object name length of ${length} longer than ${limits.maxObjectNameLength}`);
  }
  const containerLength = findExcessiveLength(path.container, limits.maxContainerNameLength);
  if (containerLength !== undefined) {
    throw badJob(`Container name length of ${containerLength} longer than ${limits.maxContainerNameLength}`);
  }
  if (device.contentType && Buffer.byteLength(device.contentType) > limits.maxHeaderSize) {
    throw badJob('Header value too long: Content-Type');
  }
  const names = Object.keys(device.meta);
  if (names.length > 0) checkMetadata(names, device.meta, limits);
}

/** Swift's check_metadata, sentence by sentence (swift/common/constraints.py). */
function checkMetadata(names: string[], meta: Record<string, string>, limits: TargetLimits): void {
  let totalBytes = 0;
  for (const name of names) {
    const value = meta[name]!;
    const valueBytes = Buffer.byteLength(value);
    const shown = `X-Object-Meta-${name}`;
    if (valueBytes > limits.maxHeaderSize) {
      throw badJob(`Header value too long: ${shown.slice(0, limits.maxMetaNameLength)}`);
    }
    if (name === '') throw badJob('Metadata name cannot be empty');
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes > limits.maxMetaNameLength) throw badJob(`Metadata name too long: ${shown}`);
    if (valueBytes > limits.maxMetaValueLength) {
      throw badJob(`Metadata value longer than ${limits.maxMetaValueLength}: ${shown}`);
    }
    // These become header lines of every later GET of the object; nothing may end such a line early, or be no name for clients.
    if (
      /[\x00-\x20"(),/:;<=>?@[\\\]{}\x7f]|\p{Surrogate}/u.test(name) ||
      /[\x00-\x08\x0a-\x1f\x7f]|\p{Surrogate}/u.test(value)
    ) {
      throw badJob(`Invalid metadata: ${JSON.stringify(name)}`);
    }
    totalBytes += nameBytes + valueBytes;
  }
  const excess = findExcess({ count: names.length, sizeBytes: totalBytes }, limits);
  if (excess !== undefined) throw badJob(excess);
}
