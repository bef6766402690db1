import { engine } from '@zerocloud/sandbox/module/engine';
import { errno } from '@zerocloud/sandbox/wasi/errno';
import { createWorld, heldText, inputSpec, outputSpec, runGuest } from '../../../support/guest-world';
import { assembleGuest } from '../../../support/wat';

async function load(name: string): Promise<object> {
  return new engine.Module(await assembleGuest(name));
}

describe('a guest', () => {
  test('says hello', async () => {
    const world = createWorld([outputSpec('/dev/stdout')]);
    expect(runGuest(world, await load('hello'))).toBe(0);
    expect(heldText(world, '/dev/stdout')).toBe('hello\n');
  });

  test('copies its input to its output', async () => {
    const text = 'some text '.repeat(1000);
    const world = createWorld([inputSpec('/dev/stdin', text), outputSpec('/dev/stdout')]);
    expect(runGuest(world, await load('cat'))).toBe(0);
    expect(heldText(world, '/dev/stdout')).toBe(text);
    expect(world.states.get('/dev/stdin')!.reads).toBe(3);
  });

  test('meets the quota of its input after what it may read', async () => {
    const limits = { reads: 2, readBytes: 1e6, writes: 0, writeBytes: 0 };
    const world = createWorld([inputSpec('/dev/stdin', 'x'.repeat(10_000), { limits }), outputSpec('/dev/stdout')]);
    expect(runGuest(world, await load('cat'))).toBe(errno.dquot);
    expect(heldText(world, '/dev/stdout')).toHaveLength(8192);
  });

  test('ends with its exit code', async () => {
    expect(runGuest(createWorld([]), await load('exit-code'))).toBe(42);
  });

  test('ends with its signal', async () => {
    const module = await load('raise');
    expect(() => runGuest(createWorld([]), module)).toThrow(
      expect.objectContaining({ name: 'GuestSignal', signal: 6 }),
    );
  });

  test('opens an output and saves into it', async () => {
    const world = createWorld([outputSpec('/dev/output', { type: 3, fileType: 'file' })]);
    expect(runGuest(world, await load('save-output'))).toBe(0);
    expect(heldText(world, '/dev/output')).toBe('saved');
  });

  test('cannot open an output that is not declared, or an input as one', async () => {
    const module = await load('save-output');
    expect(runGuest(createWorld([]), module)).toBe(errno.perm);
    expect(runGuest(createWorld([inputSpec('/dev/output', '')]), module)).toBe(errno.acces);
  });

  test('writes from memory that it has just grown', async () => {
    const world = createWorld([outputSpec('/dev/stdout')]);
    expect(runGuest(world, await load('grow-memory'))).toBe(0);
    expect(heldText(world, '/dev/stdout')).toBe('old new\n');
  });

  test('that runs out of stack inside the host ends like one that does outside', async () => {
    const module = await load('overflow-stack');
    const world = createWorld([]);
    expect(() => runGuest(world, module)).toThrow(/stack/);
    expect(world.host.fault).toBeUndefined();
  });
});
