import type { SystemImage } from '../session';
import { collectGarbage } from './collect-garbage';
import type { ExecutorSetup } from './protocol';
import type { SessionRunner } from './run-session';

const nothing = { reads: 0, readBytes: 0, writes: 0, writeBytes: 0 };
/** What a server gives a session unless told otherwise: the instance that is made ahead suits the first session. */
const warmUpMemoryBytes = 1024 ** 3;

/**
 * Runs the warm-up program of each system image once: the engine compiles functions when they are first called, which for
 * an interpreter takes several times as long as the session itself.
 */
export function warmUp(runner: SessionRunner, { systemImages: images, memoryBytes }: ExecutorSetup): void {
  if (!images.some(({ warmUp }) => warmUp)) return;
  runWarmUps(runner, images, memoryBytes ?? warmUpMemoryBytes);
  // An interpreter's module leaves tens of megabytes of garbage when it is read and rewritten.
  collectGarbage();
}

function runWarmUps(runner: SessionRunner, images: readonly SystemImage[], memoryBytes: number): void {
  for (const { name, warmUp } of images) {
    if (!warmUp) continue;
    const output = { ...nothing, writes: 1000, writeBytes: 1_000_000 };
    const reply = runner.run({
      id: 0,
      program: { kind: 'system-image', image: name, path: warmUp.program },
      args: warmUp.args,
      env: {},
      channels: [
        { name: '/dev/stdin', type: 0, limits: { ...nothing, reads: 1, readBytes: 1 }, fileType: 'pipe', etag: false },
        { name: '/dev/stdout', type: 0, limits: output, fileType: 'pipe', etag: false, discard: true },
        { name: '/dev/stderr', type: 0, limits: output, fileType: 'pipe', etag: false },
      ],
      mounts: [],
      systemImages: [name],
      memoryBytes,
    });
    runner.settle();
    if (reply.kind === 'done' && (reply.report.state !== 'ok' || reply.report.exitCode !== 0)) {
      // Sessions of the image will tell more; the others are not concerned.
      process.stderr.write(`warm-up of system image ${name} failed: ${reply.report.state}\n`);
    }
  }
}
