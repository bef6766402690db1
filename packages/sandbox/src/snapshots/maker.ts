import type { MakerResult, MakerSetup } from './make-snapshots';
import { writeSnapshot } from './snapshot-files';
import { findSnapshotSources } from './sources';
import { takeJavaScriptSnapshot, takePythonSnapshot } from './take-snapshot';

/**
 * A process that lives for a moment at the start of the sandbox: starts each interpreter, copies it, and writes the copy
 * where executors read it. It runs nothing but system images; what sessions could have touched never becomes a snapshot.
 */

// Executors of other users read them, whatever the server's own files are to be.
process.umask(0o022);

const { directory, images } = JSON.parse(process.argv[2]!) as MakerSetup;
const results: MakerResult[] = [];
for (const { image, program, language, bytes } of findSnapshotSources(images)) {
  const started = performance.now();
  try {
    const { module, memory, facts } =
      language === 'python' ? takePythonSnapshot(bytes, image.library) : takeJavaScriptSnapshot(bytes);
    const file = `${directory}/${results.length}`;
    writeSnapshot(file, module, memory, facts);
    const elapsedMs = performance.now() - started;
    results.push({ image: image.name, program, elapsedMs, reference: { imagePath: image.path, program, file } });
  } catch (error) {
    results.push({ image: image.name, program, problem: error instanceof Error ? error.message : String(error) });
  }
}
process.send!(results, () => process.disconnect());
