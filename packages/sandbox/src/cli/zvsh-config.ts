import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isFile } from './zvsh-files';
import { checkMount, type ImageOption, UsageError } from './zvsh-options';

/** What configuration files say, with the defaults. */
export interface ZvshConfig {
  manifest: { version: string; memory: string; node: string; timeout: string };
  limits: { reads: number; readBytes: number; writes: number; writeBytes: number };
  env: Record<string, string>;
  images: ImageOption[];
  /** Directories of `zvapp`, absolute. */
  zvapp: { rootPath?: string; accountPath?: string; sysimagePath?: string };
}

const unlimited = 4_294_967_296;

const known: Record<string, readonly string[] | undefined> = {
  manifest: ['version', 'memory', 'node', 'timeout'],
  limits: ['reads', 'rbytes', 'writes', 'wbytes'],
  zvapp: ['root_path', 'account_path', 'sysimage_path'],
  env: undefined,
  fstab: undefined,
};

/** Nearest first. */
function configPaths(): string[] {
  return [path.resolve('zvsh.cfg'), path.join(os.homedir(), '.zvsh.cfg'), '/etc/zvsh.cfg'];
}

/** Reads the files there are; for every key the first one that has it wins. Throws `UsageError`. */
export function readZvshConfig(paths: readonly string[] = configPaths()): ZvshConfig {
  const merged = new Map<string, string>();
  const images = new Map<string, ImageOption>();
  for (const file of [...new Set(paths)]) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))) continue;
      throw new UsageError(`${file} cannot be read`);
    }
    for (const setting of parseIni(file, text)) {
      const { section, key, value } = setting;
      checkNumber(file, setting);
      if (section === 'fstab') {
        const image = toImage(file, key, value);
        if (!images.has(image.source)) images.set(image.source, image);
      } else if (!merged.has(`${section}.${key}`)) {
        merged.set(`${section}.${key}`, section === 'zvapp' ? path.resolve(path.dirname(file), value) : value);
      }
    }
  }
  const limit = (key: string): number => Number(merged.get(`limits.${key}`) ?? unlimited);
  const env = [...merged].filter(([key]) => key.startsWith('env.')).map(([key, value]) => [key.slice(4), value]);
  return {
    manifest: {
      version: merged.get('manifest.version') ?? '20130611',
      memory: merged.get('manifest.memory') ?? `${unlimited},0`,
      node: merged.get('manifest.node') ?? '1',
      timeout: merged.get('manifest.timeout') ?? '50',
    },
    limits: {
      reads: limit('reads'),
      readBytes: limit('rbytes'),
      writes: limit('writes'),
      writeBytes: limit('wbytes'),
    },
    env: Object.fromEntries(env) as Record<string, string>,
    images: [...images.values()],
    zvapp: {
      rootPath: merged.get('zvapp.root_path'),
      accountPath: merged.get('zvapp.account_path'),
      sysimagePath: merged.get('zvapp.sysimage_path'),
    },
  };
}

interface Setting {
  section: string;
  key: string;
  value: string;
}

/** `[section]`, `key = value` or `key: value`; lines that begin with `#` or `;` are comments. */
export function parseIni(file: string, text: string): Setting[] {
  let section: string | undefined;
  return text.split('\n').flatMap((raw, index): Setting[] => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return [];
    const where = `${file}:${index + 1}`;
    const header = /^\[(.*)\]$/.exec(line);
    if (header) {
      section = header[1]!.trim();
      if (!Object.hasOwn(known, section)) throw new UsageError(`${where}: unknown section [${section}]`);
      return [];
    }
    const match = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
    if (!match || section === undefined) throw new UsageError(`${where}: not a setting`);
    const keys = known[section];
    const key = keys ? match[1]!.toLowerCase() : match[1]!;
    if (keys && !keys.includes(key)) throw new UsageError(`${where}: unknown key ${match[1]} in [${section}]`);
    return [{ section, key, value: match[2]! }];
  });
}

/** `image = mountpoint access`: a file, whose path is relative to the one it stands in, or the name of an installed image. */
function toImage(file: string, source: string, value: string): ImageOption {
  const [mountPoint = '/', access = 'ro', ...more] = value.split(/\s+/).filter((word) => word !== '');
  if (more.length > 0) throw new UsageError(`${file}: image ${source}: '${value}' is not a mount point and an access`);
  checkMount(source, mountPoint, access);
  const beside = path.resolve(path.dirname(file), source);
  const isPath = source.includes('/') || access === 'wo' || isFile(beside);
  return { source: isPath ? beside : source, mountPoint, access, ...(!isPath && { isName: true }) };
}

function checkNumber(file: string, { section, key, value }: Setting): void {
  if (section === 'limits' && !/^\d{1,15}$/.test(value)) {
    throw new UsageError(`${file}: limit ${key}: '${value}' is not a number`);
  }
  // It becomes a part of file names.
  if (section === 'manifest' && key === 'node' && !/^[1-9]\d{0,8}$/.test(value)) {
    throw new UsageError(`${file}: node '${value}' is not a number from 1`);
  }
}
