import { readImageMember } from '../images/image-programs';
import type { SystemImage } from '../session';

export interface SnapshotSource {
  image: SystemImage;
  program: string;
  bytes: Uint8Array;
}

/** The programs that are to be copied, each once even if its image has several names. */
export function* findSnapshotSources(images: readonly SystemImage[]): Generator<SnapshotSource> {
  const seen = new Set<string>();
  for (const image of images) {
    for (const program of Object.keys(image.snapshots ?? {})) {
      const key = `${image.path}:${program}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield { image, program, bytes: readImageMember(image, program) };
    }
  }
}
