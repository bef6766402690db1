import { Secret } from './secret';

/** Which of the three programs reads a setting. */
export type Role = 'standalone' | 'proxy' | 'object-server';

/** One environment variable: how to read it, and all that `--help` and the manual say about it. */
export interface Setting<T> {
  /** With the prefix, `ZEROCLOUD_PORT`. */
  name: string;
  /** Type and bounds as a person reads them, `integer 0–65535`. */
  type: string;
  /** What it does, in one sentence. */
  sentence: string;
  readBy: readonly Role[];
  secret: boolean;
  /** Value when the variable is absent or empty. */
  fallback(role: Role): T;
  /** The default as `--help` shows it. */
  fallbackText: string;
  /** Throws an `Error` whose message continues the sentence "ZEROCLOUD_X …". */
  parse(text: string): T;
}

interface Description<T> {
  sentence: string;
  readBy?: readonly Role[];
  default: T;
  /** Shown instead of the default when that depends on the machine or the program. */
  defaultText?: string;
}

export const everyRole: readonly Role[] = ['standalone', 'proxy', 'object-server'];
export const proxyRoles: readonly Role[] = ['standalone', 'proxy'];
export const storageRoles: readonly Role[] = ['standalone', 'object-server'];

const prefix = 'ZEROCLOUD_';

function setting<T>(
  name: string,
  type: string,
  description: Description<T>,
  parse: (text: string) => T,
  more: { secret?: boolean; fallback?: (role: Role) => T; fallbackText?: string } = {},
): Setting<T> {
  return {
    name: prefix + name,
    type,
    sentence: description.sentence,
    readBy: description.readBy ?? everyRole,
    secret: more.secret ?? false,
    fallback: more.fallback ?? (() => description.default),
    fallbackText: description.defaultText ?? more.fallbackText ?? String(description.default),
    parse,
  };
}

/** A whole number in decimal digits within bounds. `roles` overrides the default of single programs. */
export function integer(
  name: string,
  description: Description<number> & { min: number; max?: number; roles?: Partial<Record<Role, number>> },
): Setting<number> {
  const max = description.max ?? Number.MAX_SAFE_INTEGER;
  const type = description.max === undefined ? `integer ≥ ${description.min}` : `integer ${description.min}–${max}`;
  const parse = (text: string) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= description.min && value <= max)) {
      throw new Error(`must be an ${type}, not "${text}"`);
    }
    return value;
  };
  return setting(name, type, description, parse, {
    fallback: (role) => description.roles?.[role] ?? description.default,
  });
}

/** Text that matches a pattern; `type` names the pattern for people. */
export function text(
  name: string,
  description: Description<string> & { type: string; pattern: RegExp },
): Setting<string> {
  return setting(name, description.type, description, (value) => {
    if (!description.pattern.test(value)) {
      throw new Error(`must be a ${description.type}, not "${value}"`);
    }
    return value;
  });
}

/** One of a few words. */
export function choice(name: string, description: Description<string> & { of: readonly string[] }): Setting<string> {
  return setting(name, description.of.join(', '), description, (value) => {
    if (!description.of.includes(value)) {
      throw new Error(`must be one of ${description.of.join(', ')}, not "${value}"`);
    }
    return value;
  });
}

/** The base URL of another server, without path, query or credentials; absent by default. */
export function origin(name: string, description: Omit<Description<unknown>, 'default'>): Setting<string | undefined> {
  const type = 'URL http://host:port';
  const parse = (value: string) => {
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol !== 'http:' || url.href !== `${url.origin}/`) {
      throw new Error(`must be a ${type}, not "${value}"`);
    }
    return url.origin;
  };
  return setting<string | undefined>(name, type, { ...description, default: undefined, defaultText: 'none' }, parse);
}

/** A secret word, absent by default; problems never quote it. */
export function secret(
  name: string,
  description: Omit<Description<unknown>, 'default'> & { minLength: number },
): Setting<Secret | undefined> {
  const type = `secret, ${description.minLength} characters or more`;
  const parse = (value: string) => {
    if (!/^[\x21-\x7e]+$/.test(value) || value.length < description.minLength) {
      throw new Error(`must be a ${type}, printable ASCII without blanks`);
    }
    return new Secret(value);
  };
  const more = { secret: true };
  return setting<Secret | undefined>(
    name,
    type,
    { ...description, default: undefined, defaultText: 'none' },
    parse,
    more,
  );
}

/** Entries separated by `;`. `parseAll` throws about the entry that is wrong; `secret` keeps values out of logs. */
export function list<T>(
  name: string,
  description: Omit<Description<unknown>, 'default'> & {
    type: string;
    defaultText: string;
    secret?: boolean;
    parseAll: (entries: string[]) => T;
  },
): Setting<T> {
  const parse = (value: string) =>
    description.parseAll(
      value
        .split(';')
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ''),
    );
  const fallback = () => parse(description.defaultText);
  return setting<T>(name, description.type, { ...description, default: fallback() }, parse, {
    secret: description.secret ?? false,
    fallback,
  });
}
