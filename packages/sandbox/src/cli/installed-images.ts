import path from 'node:path';
import { SandboxError } from '../errors';
import type { SystemImage } from '../session';
import { builtInImages, configuredImages, indexImages } from '../system-images';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where `npm run image:python` puts its image in a clone. */
const builtPython = path.join(__dirname, '../../../../images/python');

/**
 * The system images that run here, by name: Python, JavaScript, and those that the server's settings name
 * (`ZEROCLOUD_PYTHON_IMAGE`, `ZEROCLOUD_SYSTEM_IMAGES`). Throws `bad-image` for one that is not usable.
 */
export function installedImages(env: Environment): Map<string, SystemImage> {
  const paths: Record<string, string> = {};
  for (const entry of (env.ZEROCLOUD_SYSTEM_IMAGES ?? '').split(';')) {
    if (entry.trim() === '') continue;
    const equals = entry.indexOf('=');
    if (equals < 1) throw new SandboxError('bad-image', `ZEROCLOUD_SYSTEM_IMAGES: '${entry}' is not name=path`);
    paths[entry.slice(0, equals).trim()] = entry.slice(equals + 1).trim();
  }
  const python = env.ZEROCLOUD_PYTHON_IMAGE ?? builtPython;
  return indexImages([...builtInImages({ python }), ...configuredImages(paths)]);
}
