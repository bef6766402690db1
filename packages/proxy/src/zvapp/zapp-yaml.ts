import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import { parse } from 'yaml';
import { ApplicationError } from './errors';
import { escapeWord, splitWords } from './split-words';

/** What `zapp.yaml` says, as far as running the application goes. */
export interface ZappYaml {
  /** The job description. */
  description: unknown[];
  /** Files and directories of the application, relative to its directory. */
  members: string[];
}

type Mapping = Record<string, unknown>;

/** Reads the description of an application as `zpm bundle` does. Throws `ApplicationError`. */
export function readZappYaml(file: string): ZappYaml {
  let zapp: unknown;
  try {
    zapp = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ApplicationError(`Cannot parse ${file}: ${(cause as Error).message.split('\n', 1)[0]}`, { cause });
  }
  const fail = (sentence: string) => new ApplicationError(`${file}: ${sentence}`);
  if (!isMapping(zapp)) throw fail('not a mapping');
  const { execution, bundling, ui, dependencies } = zapp;
  const groups = isMapping(execution) ? execution.groups : undefined;
  if (!Array.isArray(groups)) throw fail('execution.groups is not a list');
  if (Array.isArray(dependencies) && dependencies.length > 0) {
    throw fail('dependencies are part of a bundle; make one, and run that');
  }
  const directory = path.dirname(file);
  return {
    description: groups.map((group) => describeGroup(group, fail)),
    members: [bundling, ui].flatMap((patterns) => findMembers(directory, patterns, fail)),
  };
}

type Fail = (sentence: string) => ApplicationError;

/** Every key is the job's, but for those of the program. */
function describeGroup(group: unknown, fail: Fail): unknown {
  if (!isMapping(group)) throw fail('a group is not a mapping');
  const { path: program, args, env, ...rest } = group;
  const name = String(group.name ?? '');
  if (typeof program !== 'string') throw fail(`group '${name}' has no path`);
  if (typeof args !== 'string') throw fail(`group '${name}' has no args`);
  let words: string[];
  try {
    words = splitWords(args);
  } catch (cause) {
    throw fail(`args of group '${name}': ${(cause as Error).message}`);
  }
  const exec = { path: program, name: programName(program), args: words.map(escapeWord).join(' '), env };
  return { ...rest, exec };
}

/** `file://image:program` is called program, `swift://account/container/object` object. */
function programName(url: string): string {
  const swift = /^swift:\/\/[^/]*\/[^/]*\/(.*)$/s.exec(url);
  return swift?.[1] ?? url.slice(url.lastIndexOf(':') + 1).replace(/^\/\//, '');
}

function findMembers(directory: string, patterns: unknown, fail: Fail): string[] {
  if (patterns === undefined || patterns === null) return [];
  if (!Array.isArray(patterns) || !patterns.every((pattern) => typeof pattern === 'string')) {
    throw fail('bundling and ui are lists of patterns');
  }
  return patterns.flatMap((pattern) => {
    if (path.isAbsolute(pattern) || pattern.split('/').includes('..')) {
      throw fail(`pattern '${pattern}' leaves the directory of the application`);
    }
    if (existsSync(path.join(directory, pattern))) return [path.normalize(pattern).replace(/\/$/, '')];
    const found = globSync(pattern, { cwd: directory, onlyFiles: false, expandDirectories: false });
    return found.map((name) => name.replace(/\/$/, '')).sort();
  });
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
