import type { ContainerPath, ObjectPath } from '@zerocloud/object-server';
import { internalParserError } from './errors';

/** A URL of a job description. `url` is its text after account expansion, as messages and SCRIPT_FILENAME show it. */
export type JobUrl =
  | { kind: 'object'; url: string; path: ObjectPath }
  | { kind: 'container'; url: string; path: ContainerPath }
  | { kind: 'account'; url: string; account: string }
  | { kind: 'image'; url: string; image: string; member: string }
  | { kind: 'node'; url: string; node: string; device: string }
  | { kind: 'network'; url: string }
  | { kind: 'cache'; url: string };

/** Name of the device, and of the image in `file://image:path`, that holds the job's own files. */
export const userImage = 'image';

/**
 * Reads one URL; `~` and `.` as account mean `account`. Nothing is percent-decoded. Text of no known form is not
 * found; a `swift://` without account is the parser's internal error, as it was in ZeroCloud.
 */
export function findJobUrl(text: string, account: string): JobUrl | undefined {
  const scheme = /^([a-z]+):\/\//.exec(text)?.[1];
  if (scheme === undefined) return undefined;
  const rest = text.slice(scheme.length + 3);
  switch (scheme) {
    case 'swift':
      return swiftUrl(rest, account);
    case 'file': {
      const colon = rest.indexOf(':');
      const image = colon < 0 ? userImage : rest.slice(0, colon);
      return { kind: 'image', url: text, image, member: colon < 0 ? rest : rest.slice(colon + 1) };
    }
    case 'zvm': {
      const colon = rest.indexOf(':');
      const device = colon < 0 ? '' : rest.slice(colon + 1).replace(/^\/dev\//, '');
      return { kind: 'node', url: text, node: colon < 0 ? rest : rest.slice(0, colon), device };
    }
    case 'tcp':
    case 'udp':
      return { kind: 'network', url: text };
    case 'cache':
      return { kind: 'cache', url: text };
    default:
      return undefined;
  }
}

function swiftUrl(rest: string, ownAccount: string): JobUrl {
  const [first, container, ...names] = rest.split('/');
  if (!first) throw internalParserError();
  const account = first === '~' || first === '.' ? ownAccount : first;
  const url = `swift://${account}${rest.slice(first.length)}`;
  if (!container) return { kind: 'account', url, account };
  const object = names.join('/');
  if (!object) return { kind: 'container', url, path: { account, container } };
  return { kind: 'object', url, path: { account, container, object } };
}

/** `/account/container[/object]`, the form of error sentences and of PATH_INFO. */
export function pathText(path: ContainerPath & { object?: string }): string {
  return path.object === undefined
    ? `/${path.account}/${path.container}`
    : `/${path.account}/${path.container}/${path.object}`;
}
