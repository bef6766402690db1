import { jobSettings } from './jobs';
import type { Setting } from './kinds';
import { largeObjectSettings } from './large-objects';
import { queueSettings } from './queues';
import { s3Settings } from './s3';
import { sandboxSettings } from './sandbox';
import { serverSettings } from './server';
import { swiftSettings } from './swift';
import { urlSettings } from './urls';

/** Every setting there is, in the order of `--help`. The key is its name in code. */
export const settings = {
  ...serverSettings,
  ...swiftSettings,
  ...largeObjectSettings,
  ...urlSettings,
  ...s3Settings,
  ...jobSettings,
  ...queueSettings,
  ...sandboxSettings,
} satisfies Record<string, Setting<unknown>>;

/** What the settings come to after reading, by their name in code. */
export type SettingValues = {
  readonly [K in keyof typeof settings]: (typeof settings)[K] extends Setting<infer T> ? T : never;
};
