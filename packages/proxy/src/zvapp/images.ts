import { readdirSync } from 'node:fs';
import path from 'node:path';
import { configuredImages, type SystemImage } from '@zerocloud/sandbox';
import { installedImages } from '@zerocloud/sandbox/cli/installed-images';
import { reasonOf } from '@zerocloud/sandbox/cli/standard-streams';
import { UsageError } from '@zerocloud/sandbox/cli/zvsh-options';
import type { PlannedNode } from '../jobs/plan';

/** The system images by name: those of the directory before the installed ones. Throws `UsageError`. */
export function findImages(
  directory: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Map<string, SystemImage> {
  const images = installedImages(env);
  for (const image of directory === undefined ? [] : imagesIn(directory)) images.set(image.name, image);
  return images;
}

/** Each file is an image named after it. Names that no job can spell are passed over. */
function imagesIn(directory: string): SystemImage[] {
  try {
    const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    const named = files.map(({ name }) => [path.parse(name).name, path.join(directory, name)] as const);
    return configuredImages(Object.fromEntries(named.filter(([name]) => /^[\w.-]+$/.test(name))));
  } catch (error) {
    throw new UsageError(`${directory}: ${reasonOf(error)}`);
  }
}

/** From so many nodes on it is faster to start Python once and copy it than to start it for each. */
const nodesWorthSnapshot = 8;

/** The images that the nodes run programs of or mount. */
export function imagesOf(
  nodes: readonly PlannedNode[],
  imageDevices: ReadonlySet<string>,
  images: ReadonlyMap<string, SystemImage>,
): SystemImage[] {
  const programs = nodes.flatMap(({ group: { program } }) => (program.kind === 'image' ? [program.image] : []));
  return [...new Set([...imageDevices, ...programs])].flatMap((name) => {
    const image = images.get(name);
    if (!image) return [];
    const isWorthIt = programs.filter((one) => one === name).length >= nodesWorthSnapshot;
    return isWorthIt ? image : startedAnew(image);
  });
}

/** The image without what is made ahead; JavaScript has no other way to start. */
function startedAnew(image: SystemImage): SystemImage {
  const isJavaScript = Object.values(image.snapshots ?? {}).includes('javascript');
  return isJavaScript ? image : { ...image, snapshots: undefined, warmUp: undefined };
}
