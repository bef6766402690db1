import type { RootNode } from '../images/nodes';
import type { RootFs } from '../images/root-fs';
import { encodeMarshal } from './marshal';

/** What a session brings that decides whether, and how, a copy of a started interpreter can serve it. */
export interface PythonSession {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  root: RootFs;
  /** Nothing was laid into the root but what every session has. */
  plain: boolean;
}

interface Command {
  /** `c` command, `m` module, `f` file, `i` standard input; `d`: modules to be imported for a copy. */
  kind: 'c' | 'm' | 'f' | 'i' | 'd';
  target: string;
  argv: string[];
  /** First entry of the module search path. */
  firstPath: string;
}

/** Settings that are fixed when the interpreter starts. */
const startSetting = /^(PYTHON(?!PATH$)|LC_|LANG$|LANGUAGE$)/;

/** A zip archive ends with this record and at most 64 KiB of comment. */
const zipEnd = Buffer.from('PK\x05\x06', 'latin1');
const zipTailBytes = 65_557;

/**
 * The request for `serve`, or undefined if the session needs an interpreter of its own: options, settings that act at start,
 * a program that is a directory, an archive or compiled, an interactive one, or one that is not there.
 */
export function findPythonRequest(session: PythonSession): Uint8Array | undefined {
  const command = findCommand(session);
  return command && encodeRequest(session, command);
}

/**
 * The request that imports modules as the session's program would, for a copy; undefined if no copy could serve the program.
 * It has the session's search path and none of its arguments.
 */
export function findDaemonRequest(session: PythonSession, modules: readonly string[]): Uint8Array | undefined {
  const command = findCommand(session);
  if (!command) return undefined;
  const target = modules.join(' ');
  return encodeRequest({ ...session, args: session.args.slice(0, 1) }, { ...command, kind: 'd', target, argv: [''] });
}

function encodeRequest(session: PythonSession, { kind, target, firstPath, argv }: Command): Uint8Array {
  const text = (value: string) => value.split('\0', 1)[0]!;
  const pairs = Object.entries(session.env).map(([name, value]) => [text(name), text(value)]);
  const plain = session.plain ? 1 : 0;
  return encodeMarshal([kind, target, firstPath, plain, argv.map(text), session.args.map(text), pairs]);
}

function findCommand({ args, env, root }: PythonSession): Command | undefined {
  const [program, first, ...rest] = args;
  if (program === undefined || program === '' || program.includes('/')) return undefined;
  if (Object.keys(env).some((name) => startSetting.test(name))) return undefined;
  if (first === undefined || first === '-') {
    const isPipe = findNode(root, '/dev/stdin')?.kind === 'channel' && !isTerminal(root);
    return isPipe ? { kind: 'i', target: '', argv: [first ?? '', ...rest], firstPath: '' } : undefined;
  }
  if (first === '-c' || first === '-m') {
    const [target, ...others] = rest;
    if (target === undefined || target.includes('\0')) return undefined;
    if (first === '-c') return { kind: 'c', target: `${target}\n`, argv: ['-c', ...others], firstPath: '' };
    return { kind: 'm', target, argv: ['-m', ...others], firstPath: '/' };
  }
  return first === '' || first.startsWith('-') ? undefined : findScript(root, first, rest);
}

function findScript(root: RootFs, name: string, others: string[]): Command | undefined {
  // A path in the plain form: dots and links are for the interpreter itself to resolve.
  const parts = name.split('/');
  if (parts.some((part, i) => part === '.' || part === '..' || (part === '' && i > 0))) return undefined;
  // As the interpreter joins the root and a relative path.
  const target = name.startsWith('/') ? name : `//${name}`;
  if (target.endsWith('.pyc') || target.includes('\0')) return undefined;
  const node = findNode(root, target);
  if (node?.kind === 'file') {
    const { content } = node;
    const tail = Buffer.alloc(Math.min(content.sizeBytes, zipTailBytes));
    content.readAt(tail, 0, tail.length, content.sizeBytes - tail.length);
    if (tail.includes(zipEnd)) return undefined;
  } else if (node?.kind !== 'channel') {
    return undefined;
  }
  const firstPath = name.slice(0, Math.max(name.lastIndexOf('/'), name.startsWith('/') ? 1 : 0));
  return { kind: 'f', target, argv: [name, ...others], firstPath };
}

function isTerminal(root: RootFs): boolean {
  const node = findNode(root, '/dev/stdin');
  return node?.kind === 'channel' && node.channel.spec.fileType === 'char';
}

/** Symbolic links are not followed: with them the script's directory is another one. */
function findNode(root: RootFs, path: string): RootNode | undefined {
  try {
    return root.resolve(root.root, path, false).node;
  } catch {
    return undefined;
  }
}
