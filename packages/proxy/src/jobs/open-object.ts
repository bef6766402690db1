import type { ObjectPath } from '@zerocloud/object-server';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { Query } from '../http/query';
import { type JobObjects, readObject } from './job-object';
import { mediaTypeOf, type ParsedJob, parseMap } from './parse';
import { fillTemplate } from './template';
import { pathText } from './urls';

/** Programs that are opened by running them. */
const executableTypes = new Set(['application/x-nexe', 'application/wasm']);

const executableTemplate = JSON.stringify([
  {
    name: 'executable',
    exec: { path: '{.object_path}', args: '{.args}' },
    devices: [{ name: 'stdout', content_type: '{.content_type=text/plain}' }],
  },
]);

/** Where an account says what opens objects of a type: `<type>/config` in this container. */
const registryContainer = '.zvm';

/**
 * The job that opens an object which is no application itself: the template that its account registered for its content
 * type, or for a program the program itself. 404 when nothing opens it.
 */
export async function openByType(
  ctx: SwiftContext,
  deps: Deps,
  objects: JobObjects,
  path: ObjectPath,
  contentType: string,
): Promise<ParsedJob> {
  const type = mediaTypeOf(contentType);
  const template = await findTemplate(deps, objects, path.account, type);
  if (template === undefined && !executableTypes.has(type)) {
    throw new HttpError(404, `No application registered for ${type}`);
  }
  const ownObject = `swift:/${pathText(path)}`;
  const text = fillTemplate(template ?? executableTemplate, new Query(ctx.req.url!), ownObject);
  return { description: parseMap(Buffer.from(text)), ownObject };
}

async function findTemplate(
  { config }: Deps,
  objects: JobObjects,
  account: string,
  type: string,
): Promise<string | undefined> {
  const path = { account, container: registryContainer, object: `${type}/config` };
  const { maxConfigBytes } = config.jobs;
  const found = await objects.find(path, async (opened) => {
    if (opened.record.sizeBytes > maxConfigBytes) {
      throw new HttpError(413, `Config file at ${pathText(path)} is too large`);
    }
    return (await readObject(opened)).toString('utf8');
  });
  return found?.result;
}
