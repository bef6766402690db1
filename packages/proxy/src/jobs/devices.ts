import type { ChannelType } from '@zerocloud/sandbox';

/** What the job description's device names mean, before any system image joins them. */
export interface DeviceKind {
  access: 'read' | 'write' | 'unsupported';
  type: ChannelType;
  /** The bytes are a tar that is also laid into the guest's root. */
  mounted?: boolean;
  /** Output without a path is part of the response. */
  returned?: boolean;
}

/** ZeroCloud's device table. The order is the channel order of the standard devices. */
export const deviceKinds: ReadonlyMap<string, DeviceKind> = new Map<string, DeviceKind>([
  ['stdin', { access: 'read', type: 0 }],
  ['stdout', { access: 'write', type: 0, returned: true }],
  ['stderr', { access: 'write', type: 0, returned: true }],
  ['input', { access: 'read', type: 3 }],
  ['output', { access: 'write', type: 3 }],
  ['image', { access: 'read', type: 3, mounted: true }],
  ['script', { access: 'read', type: 3 }],
  ['debug', { access: 'unsupported', type: 0 }],
  ['db', { access: 'unsupported', type: 0 }],
]);

/** A container on the device `name` is its listing as a database; here are the same rows as lines of JSON. */
export function listingLines(name: string): string {
  return `${name}.json`;
}

export const standardDevices = ['stdin', 'stdout', 'stderr'] as const;

/** `input-<anything>` with a path is one more random-read input, `/dev/input-<anything>`: one node reads many objects. */
export function findFurtherInput(name: string): DeviceKind | undefined {
  return /^input-[\w.-]+$/.test(name) ? deviceKinds.get('input') : undefined;
}
