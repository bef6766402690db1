import { SandboxError } from '../errors';
import type { SystemImage } from '../session';
import { configuredImages, indexImages, pythonImages } from '../system-images';

/** Environment variable that names further images, as the server's does: `name=path;…`. */
export const imagesVariable = 'ZEROCLOUD_SYSTEM_IMAGES';

/** The system images there are on this machine, by name. Throws `bad-image` for one that is not usable. */
export function installedImages(configured = ''): Map<string, SystemImage> {
  const paths: Record<string, string> = {};
  for (const entry of configured.split(';')) {
    if (entry.trim() === '') continue;
    const equals = entry.indexOf('=');
    if (equals < 1) throw new SandboxError('bad-image', `${imagesVariable}: '${entry}' is not name=path`);
    paths[entry.slice(0, equals).trim()] = entry.slice(equals + 1).trim();
  }
  return indexImages([...pythonImages(), ...configuredImages(paths)]);
}
