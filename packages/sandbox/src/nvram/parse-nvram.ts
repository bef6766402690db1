import { SessionError, sessionCode } from '../manifest/session-error';
import type { FileType } from '../session';
import { splitArguments, trimBlanks, unescapeValue } from './escapes';
import type { Nvram } from './nvram';

/** Sections and the keys of their records. */
const sections: Record<string, readonly string[]> = {
  args: ['args'],
  env: ['name', 'value'],
  fstab: ['channel', 'mountpoint', 'access', 'removable', 'fsname'],
  mapping: ['channel', 'mode'],
  time: ['seconds'],
  debug: ['verbosity'],
  precache: ['precache'],
};

const fileTypes: readonly FileType[] = ['pipe', 'char', 'file'];

interface RecordLine {
  line: number;
  values: Map<string, string>;
}

/**
 * Reads the guest's configuration: sections in brackets, records of `key=value` divided by commas, one a line; a line that
 * begins with `#` is a comment. Throws `SessionError` (`NVRAM <line>: …`) for what it does not know: nothing is ignored.
 */
export function parseNvram(text: string): Nvram {
  const nvram: Nvram = { env: {}, mounts: [], fileTypes: new Map(), verbosity: 0, precache: false };
  let section: string | undefined;
  text.split('\n').forEach((raw, index) => {
    const line = index + 1;
    const content = trimBlanks(raw);
    if (content === '' || content.startsWith('#')) return;
    const header = /^\[\s*(\w+)\s*\]$/.exec(content);
    if (header) {
      section = header[1]!;
      if (!Object.hasOwn(sections, section)) fail(line, `unknown section [${section}]`);
      return;
    }
    if (section === undefined) fail(line, 'a record outside of any section');
    addRecord(nvram, section, readRecord(line, content, sections[section]!));
  });
  return nvram;
}

function fail(line: number, text: string): never {
  throw new SessionError(`NVRAM ${line}: ${text}`, sessionCode.fault);
}

function readRecord(line: number, content: string, keys: readonly string[]): RecordLine {
  const values = new Map<string, string>();
  for (const pair of content.split(',')) {
    const equals = pair.indexOf('=');
    const key = trimBlanks(pair.slice(0, Math.max(equals, 0)));
    if (!keys.includes(key)) fail(line, equals < 0 ? `no key in '${trimBlanks(pair)}'` : `unknown key '${key}'`);
    values.set(key, trimBlanks(pair.slice(equals + 1)));
  }
  return { line, values };
}

function addRecord(nvram: Nvram, section: string, record: RecordLine): void {
  const { line, values } = record;
  const get = (key: string): string => values.get(key) ?? fail(line, `no ${key}`);
  switch (section) {
    case 'args':
      nvram.args = splitArguments(get('args'));
      break;
    case 'env':
      addVariable(nvram, line, unescapeValue(get('name')), unescapeValue(get('value')));
      break;
    case 'fstab':
      addMount(nvram, record, get);
      break;
    case 'mapping': {
      const type = fileTypes.find((one) => one === get('mode')) ?? fail(line, `unknown mode '${get('mode')}'`);
      nvram.fileTypes.set(get('channel'), type);
      break;
    }
    case 'time':
      nvram.startSeconds = toInteger(line, get('seconds'), 0, 2 ** 33);
      break;
    case 'debug':
      nvram.verbosity = toInteger(line, get('verbosity'), 0, 4);
      break;
    case 'precache':
      nvram.precache = isYes(line, get('precache'));
      break;
  }
}

function addVariable({ env }: Nvram, line: number, name: string, value: string): void {
  if (name === '' || /[=\0]/.test(name)) fail(line, 'invalid name of a variable');
  Object.defineProperty(env, name, { value, enumerable: true, configurable: true, writable: true });
}

function addMount(nvram: Nvram, { line, values }: RecordLine, get: (key: string) => string): void {
  const access = get('access');
  if (access !== 'ro' && access !== 'wo') fail(line, `access ${access} is not supported, only ro and wo`);
  if ((values.get('fsname') ?? 'tar') !== 'tar')
    fail(line, `fsname ${values.get('fsname')} is not supported, only tar`);
  isYes(line, values.get('removable') ?? 'no');
  const mountPoint = get('mountpoint');
  if (!mountPoint.startsWith('/')) fail(line, `mountpoint ${mountPoint} is not absolute`);
  if (access === 'wo' && /^\/+$/.test(mountPoint)) fail(line, 'the root cannot be saved');
  nvram.mounts.push({ line, channel: get('channel'), mountPoint, access });
}

function toInteger(line: number, text: string, min: number, max: number): number {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : fail(line, `invalid numeric value '${text}'`);
}

function isYes(line: number, text: string): boolean {
  if (text !== 'yes' && text !== 'no') fail(line, `'${text}' is neither yes nor no`);
  return text === 'yes';
}
