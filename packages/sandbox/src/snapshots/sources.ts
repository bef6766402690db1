import { readImageMember } from '../images/image-programs';
import type { SystemImage } from '../session';
import type { SnapshotLanguage } from './snapshot-files';

export interface SnapshotSource {
  image: SystemImage;
  program: string;
  language: SnapshotLanguage;
  bytes: Uint8Array;
}

/** The programs that are to be copied, each once even if its image has several names. */
export function* findSnapshotSources(images: readonly SystemImage[]): Generator<SnapshotSource> {
  const seen = new Set<string>();
  for (const image of images) {
    for (const [program, language] of Object.entries(image.snapshots ?? {})) {
      const key = `${image.path}:${program}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield { image, program, language, bytes: readImageMember(image, program) };
    }
  }
}
