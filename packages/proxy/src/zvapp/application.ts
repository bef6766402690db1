import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { NodeSource } from '@zerocloud/object-server';
import type { Staging } from '@zerocloud/object-server/staging';
import { openSource } from '@zerocloud/sandbox/channels/open-source';
import { reasonOf } from '@zerocloud/sandbox/cli/standard-streams';
import { findTarMember } from '@zerocloud/sandbox/images/tar';
import { blockBytes, parseTarHeader } from '@zerocloud/sandbox/images/tar-header';
import { describeScript, scriptName } from '../jobs/script';
import { findJobUrl, userImage } from '../jobs/urls';
import { ApplicationError } from './errors';
import { filesBelow, type PackedFile, packFiles } from './pack-files';
import { readZappYaml } from './zapp-yaml';

/** An application as the job engine takes it. */
export interface Application {
  description: unknown;
  /** The archive that every node sees at `/`. */
  image?: NodeSource;
}

export interface LoadOptions {
  /** Account of `~` in a script's interpreter. */
  account: string;
  staging: Pick<Staging, 'stageBody' | 'open'>;
  /** Largest archive. */
  maxBytes: number;
}

/** In this order. */
const mapNames = ['boot/cluster.map', 'boot/system.map'] as const;
const zappName = 'zapp.yaml';

/** A description is held in memory. */
const maxDescriptionBytes = 1024 ** 2;

/** Finds out what the file or directory is, and makes a job of it. Rejects with `ApplicationError`. */
export async function loadApplication(file: string, options: LoadOptions): Promise<Application> {
  let isDirectory: boolean;
  try {
    isDirectory = statSync(file).isDirectory();
  } catch (cause) {
    throw new ApplicationError(`${file}: ${reasonOf(cause)}`, { cause });
  }
  if (isDirectory) return loadDirectory(file, options);
  if (path.basename(file) === zappName) return loadZapp(path.dirname(file), options);
  return loadFile(file, options);
}

async function loadDirectory(directory: string, options: LoadOptions): Promise<Application> {
  const map = mapNames.find((name) => existsSync(path.join(directory, name)));
  if (map === undefined) {
    if (existsSync(path.join(directory, zappName))) return loadZapp(directory, options);
    throw new ApplicationError(`Cannot find boot map anywhere in ${directory}`);
  }
  const mapFile = path.join(directory, map);
  const description = parseDescription(readDescription(mapFile), mapFile);
  return { description, image: await stage(packFiles(filesBelow(directory)), options) };
}

async function loadZapp(directory: string, options: LoadOptions): Promise<Application> {
  const { description, members } = readZappYaml(path.join(directory, zappName));
  const files = [zappName, ...members].flatMap((member) => filesBelow(directory, member));
  return { description, image: await stage(packFiles(files), options) };
}

async function loadFile(file: string, options: LoadOptions): Promise<Application> {
  const head = await readHead(file);
  if (head[0] === 0x1f && head[1] === 0x8b) return loadArchive(file, options, true);
  if (isTarHead(head)) return loadArchive(file, options, false);
  if (head.toString('latin1', 0, 2) === '#!') return loadScript(file, options);
  const description = parseDescription(readDescription(file), file);
  const programs = filesBeside(file, description);
  return { description, ...(programs.length > 0 && { image: await stage(packFiles(programs), options) }) };
}

async function loadArchive(file: string, options: LoadOptions, inflate: boolean): Promise<Application> {
  const { staging, maxBytes } = options;
  const cannotParse = (cause?: unknown) => new ApplicationError(`Cannot parse the input file ${file}`, { cause });
  const { id } = await staging.stageBody(createReadStream(file), { maxBytes, inflate }).catch((error) => {
    throw cannotParse(error);
  });
  const staged = staging.open(id);
  const { content, close } = openSource(staged.source, file);
  try {
    for (const name of mapNames) {
      const found = findTarMember(content, name);
      if (!found) continue;
      const bytes = Buffer.alloc(Math.min(found.sizeBytes, maxDescriptionBytes + 1));
      content.readAt(bytes, 0, bytes.length, found.offset);
      return { description: parseDescription(bytes, `${name} in ${file}`), image: { kind: 'staged', id } };
    }
  } catch (error) {
    throw error instanceof ApplicationError ? error : cannotParse(error);
  } finally {
    close();
    staged.close();
  }
  throw new ApplicationError(`Cannot find boot map anywhere in ${file}`);
}

/** The job that the server makes of a posted script; its standard input is ours. */
async function loadScript(file: string, options: LoadOptions): Promise<Application> {
  const line = /^.*/.exec(readDescription(file).toString())![0];
  const description = describeScript(line, options.account, undefined);
  return { description, image: await stage(packFiles([{ name: scriptName, file }]), options) };
}

/**
 * Programs `file://<path>` of a description that stands alone are files beside it: they make up the archive that would
 * otherwise have come with it. What is not there is left to the job's own checks.
 */
function filesBeside(file: string, description: unknown): PackedFile[] {
  if (!Array.isArray(description)) return [];
  const names = description.flatMap((group) => {
    const text: unknown = group?.exec?.path;
    const url = typeof text === 'string' && text.startsWith('file:') ? findJobUrl(text, '') : undefined;
    return url?.kind === 'image' && url.image === userImage ? [url.member.replace(/^\/+/, '')] : [];
  });
  return [...new Set(names)]
    .map((name) => ({ name, file: path.join(path.dirname(file), name) }))
    .filter((member) => statSync(member.file, { throwIfNoEntry: false })?.isFile());
}

async function stage(body: AsyncIterable<Uint8Array>, { staging, maxBytes }: LoadOptions): Promise<NodeSource> {
  const { id } = await staging.stageBody(body, { maxBytes });
  return { kind: 'staged', id };
}

async function readHead(file: string): Promise<Buffer> {
  const handle = await open(file).catch((cause) => {
    throw new ApplicationError(`${file}: ${reasonOf(cause)}`, { cause });
  });
  try {
    const head = Buffer.alloc(blockBytes);
    const { bytesRead } = await handle.read(head, 0, blockBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

function isTarHead(head: Buffer): boolean {
  try {
    return head.length === blockBytes && parseTarHeader(head) !== undefined;
  } catch {
    return false;
  }
}

function readDescription(file: string): Buffer {
  if (statSync(file).size > maxDescriptionBytes) throw new ApplicationError(`Cannot parse the input file ${file}`);
  return readFileSync(file);
}

function parseDescription(bytes: Buffer, file: string): unknown {
  try {
    if (bytes.length > maxDescriptionBytes) throw new SyntaxError('too large');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ApplicationError(`Cannot parse the input file ${file}`, { cause });
  }
}
