import type { Role, Setting } from './kinds';
import { nearestName } from './nearest';
import { type SettingValues, settings } from './schema';

/** What is wrong with an environment: every problem, one line each. */
export class SettingsError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.length === 1 ? problems[0] : `${problems.length} settings are wrong:\n  ${problems.join('\n  ')}`);
    this.name = 'SettingsError';
  }
}

/** A rule over several settings; it is asked only when each of them is readable. */
export interface SettingsRule {
  about: readonly (keyof SettingValues)[];
  /** The problem as a whole sentence, if there is one. */
  findProblem(values: SettingValues): string | undefined;
}

/**
 * Values of all settings for one program. An empty variable counts as absent. A setting that another program reads is
 * accepted (both programs may share one environment), an unknown `ZEROCLOUD_…` name is not. Throws a `SettingsError`
 * with all problems at once.
 */
export function readSettings(
  env: Record<string, string | undefined>,
  role: Role,
  rules: readonly SettingsRule[] = [],
): SettingValues {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(settings)) {
    const text = env[setting.name];
    try {
      values[key] = text === undefined || text === '' ? setting.fallback(role) : setting.parse(text);
    } catch (error) {
      problems.push(`${setting.name} ${(error as Error).message}`);
    }
  }
  const known = Object.values(settings).map(({ name }) => name);
  for (const name of Object.keys(env).sort()) {
    if (name.startsWith('ZEROCLOUD_') && !known.includes(name)) {
      problems.push(`${name} is not a setting, did you mean ${nearestName(name, known)}?`);
    }
  }
  const read = values as unknown as SettingValues;
  for (const { findProblem } of rules.filter(({ about }) => about.every((key) => key in values))) {
    const problem = findProblem(read);
    if (problem !== undefined) {
      problems.push(problem);
    }
  }
  if (problems.length > 0) {
    throw new SettingsError(problems);
  }
  return Object.freeze(read);
}

/** Whether a host to listen on is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
