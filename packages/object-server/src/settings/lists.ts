import path from 'node:path';
import { hideProperty } from './secret';

/** One entry of `ZEROCLOUD_USERS`. */
export interface UserSetting {
  account: string;
  user: string;
  key: string;
  groups: string[];
}

/** The user a fresh installation has, good for a machine of one's own only. */
export const defaultUsers = 'test:tester=testing .admin';

/** `account:user=key group…`. A key holds neither blanks nor `;`, and no problem quotes it. */
export function parseUsers(entries: string[]): UserSetting[] {
  const users = entries.map((entry, index) => {
    const match = /^([^:=\s]+):([^:=\s]+)=(\S+)((?:\s+\S+)*)$/.exec(entry);
    if (!match) {
      throw new Error(`has no "account:user=key group…" in entry ${index + 1}`);
    }
    const [, account, user, key, groups] = match as unknown as [string, string, string, string, string];
    return hideProperty({ account, user, key, groups: groups.split(/\s+/).filter((group) => group !== '') }, 'key');
  });
  const names = users.map(({ account, user }) => `${account}:${user}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Error(`names the user ${twice} twice`);
  }
  if (users.length === 0) {
    throw new Error('names no user');
  }
  return users;
}

/** `name=path`; paths become absolute, names are what a job writes in `file://name:…`. */
export function parseSystemImages(entries: string[]): Record<string, string> {
  const images: Record<string, string> = {};
  for (const [index, entry] of entries.entries()) {
    const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(entry);
    if (!match) {
      throw new Error(`has no "name=path" in entry ${index + 1}, "${entry}"`);
    }
    const [, name, file] = match as unknown as [string, string, string];
    if (Object.hasOwn(images, name)) {
      throw new Error(`names the system image ${name} twice`);
    }
    images[name] = path.resolve(file);
  }
  return images;
}

/** Origins as browsers send them, `https://example.org:8443`, or `*`. */
export function parseOrigins(entries: string[]): string[] {
  for (const entry of entries) {
    const origin = entry === '*' ? entry : URL.canParse(entry) ? new URL(entry).origin : undefined;
    if (origin !== entry) throw new Error(`names "${entry}", which is no origin such as https://example.org`);
  }
  return entries;
}

/** Domains as hosts name them, in lower case. */
export function parseDomains(entries: string[]): string[] {
  return entries.map((entry) => {
    const domain = entry.toLowerCase().replace(/^\./, '');
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(domain)) throw new Error(`names "${entry}", which is no domain`);
    return domain;
  });
}
