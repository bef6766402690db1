import { IoVectors } from '../channels/io-vectors';
import type { RootFs } from '../images/root-fs';
import type { Clock } from './clock';
import { DescriptorTable } from './descriptor-table';
import { GuestMemory } from './guest-memory';
import type { RandomSource } from './random';

/** What the groups of WASI functions share: one guest's world. */
export interface HostContext {
  readonly memory: GuestMemory;
  readonly descriptors: DescriptorTable;
  readonly root: RootFs;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Buffers of the call in progress. */
  readonly vectors: IoVectors;
}

/** One for all guests of a thread: calls do not nest, and making it would cost more than many a session. */
const vectors = new IoVectors();

export function createContext(parts: Pick<HostContext, 'root' | 'clock' | 'random'>): HostContext {
  return {
    memory: new GuestMemory(),
    descriptors: new DescriptorTable(),
    vectors,
    ...parts,
  };
}
