import type { NodeResult, NodeSession } from '@zerocloud/object-server';
import { StorageError } from '@zerocloud/object-server/errors';
import type { Connection } from '@zerocloud/proxy/jobs/connections';
import type { PlannedNode } from '@zerocloud/proxy/jobs/plan';
import { type RunContext, runUnits } from '@zerocloud/proxy/jobs/run';
import { findUnits } from '@zerocloud/proxy/jobs/topology';

const maxSpillBytes = 1200;

/** A storage node on which sessions end when the test says so, and what the job has on disk, at most. */
class Disk {
  readonly running = new Map<string, { session: NodeSession; end(writtenBytes: number | 'lost'): Promise<void> }>();
  readonly released: string[] = [];
  worstBytes = 0;
  readonly #held = new Map<string, number>();

  readonly node: RunContext['node'] = {
    runSession: (session) =>
      new Promise((resolve, reject) => {
        const end = async (writtenBytes: number | 'lost') => {
          this.running.delete(session.name);
          if (writtenBytes === 'lost') reject(new StorageError('sessionFailed', 'lost'));
          else resolve(this.#resultOf(session, writtenBytes));
          await new Promise(setImmediate);
        };
        this.running.set(session.name, { session, end });
        this.#note();
      }),
    runGroup: () => Promise.reject(new Error('no groups here')),
    releaseBody: async (id) => {
      this.#held.delete(id);
      this.released.push(id);
    },
  };

  get names(): string {
    return [...this.running.keys()].join('');
  }

  /** By connection of the node, what it may write to it. */
  roomOf(name: string): number[] {
    return spillsOf(this.running.get(name)!.session).map(({ limits }) => limits.writeBytes);
  }

  end(name: string, writtenBytes: number | 'lost' = 0): Promise<void> {
    return this.running.get(name)!.end(writtenBytes);
  }

  #resultOf(session: NodeSession, writtenBytes: number): NodeResult {
    const outputs = spillsOf(session).map(({ device, limits }) => {
      const sizeBytes = Math.min(writtenBytes, limits.writeBytes);
      this.#held.set(device, sizeBytes);
      return { device, sizeBytes, stagedId: device };
    });
    const accounting = { systemSeconds: 0, userSeconds: 0 };
    const report = { validation: 0, exitCode: 0, etags: [], accounting, state: 'ok', code: 0, elapsedMs: 1 };
    return { report, outputs } as unknown as NodeResult;
  }

  #note(): void {
    const rooms = [...this.running.keys()].flatMap((name) => this.roomOf(name));
    const bytes = [...this.#held.values(), ...rooms].reduce((sum, size) => sum + size, 0);
    this.worstBytes = Math.max(this.worstBytes, bytes);
  }
}

function spillsOf({ channels }: NodeSession) {
  return channels.filter(({ spill, limits }) => spill && limits.writeBytes > 0);
}

/** Nodes of one letter, connections of two, `ab` from a to b; every node runs by itself, three at once. */
function start(names: string, connections: string) {
  const disk = new Disk();
  const group = { devices: [], args: '', env: {}, program: { kind: 'image', image: 'python', member: 'p', url: '' } };
  const nodes = [...names].map((name) => ({ name, group, objects: [] }) as unknown as PlannedNode);
  const find = (name: string) => nodes.find((node) => node.name === name)!;
  const pipes = connections.split(' ').map((pair): Connection => {
    const [from, to] = pair as unknown as [string, string];
    return { from: find(from), output: pair, to: find(to), input: pair, fileType: 'pipe' };
  });
  const limits = { maxSpillBytes, maxOutputBytes: 1e9, maxIops: 1e9, maxInputBytes: 1e9, sessionTimeoutS: 1 };
  const ended: string[] = [];
  const context = {
    node: disk.node,
    job: { env: {}, limits, imageDevices: new Set() },
    denied: new Map(),
    width: 3,
    signal: { aborted: false, addEventListener() {}, removeEventListener() {} },
  } as unknown as RunContext;
  const whole = runUnits(findUnits(nodes, pipes, 1), context, (outcomes) => {
    for (const { node, status } of outcomes) ended.push(`${node.name} ${status}`);
  });
  return { disk, whole, ended };
}

test('nodes that run beside each other share what a job may hold on disk', async () => {
  const { disk, whole } = start('abcdz', 'az bz cz dz');
  expect([disk.names, disk.roomOf('a'), disk.roomOf('b'), disk.roomOf('c')]).toEqual(['abc', [400], [400], [400]]);
  await disk.end('a', 150);
  // What the first one left is the next one's.
  expect([disk.names, disk.roomOf('d')]).toEqual(['bcd', [250]]);
  for (const name of 'bcd') await disk.end(name, 1e6);
  expect(disk.names).toBe('z');
  await disk.end('z');
  await whole;
  expect([disk.worstBytes, disk.released]).toEqual([maxSpillBytes, ['az', 'bz', 'cz', 'dz']]);
});

test('the connections of one node share what it was given', async () => {
  const { disk, whole } = start('abxyz', 'ax ay az bx by bz');
  expect([disk.roomOf('a'), disk.roomOf('b')]).toEqual([
    [200, 200, 200],
    [200, 200, 200],
  ]);
  for (const name of 'abxyz') await disk.end(name, 200);
  await whole;
  expect(disk.worstBytes).toBe(maxSpillBytes);
});

test('a node that writes alone may fill all there is, and one that follows what was let go', async () => {
  const { disk, whole } = start('abc', 'ab bc');
  expect(disk.roomOf('a')).toEqual([1200]);
  await disk.end('a', 900);
  // What it reads is still there.
  expect(disk.roomOf('b')).toEqual([300]);
  await disk.end('b', 300);
  await disk.end('c');
  await whole;
  expect(disk.worstBytes).toBe(maxSpillBytes);
});

test('a node waits for others that hold room, and gets nothing only where nothing will come back', async () => {
  const { disk, whole, ended } = start('abcdez', 'az bz cz dz ez');
  await disk.end('a', 1e6);
  // All is given away.
  expect(disk.names).toBe('bc');
  await disk.end('b', 100);
  expect([disk.names, disk.roomOf('d')]).toEqual(['cde', [150]]);
  expect(disk.roomOf('e')).toEqual([150]);
  for (const name of 'cdez') await disk.end(name, 1e6);
  await whole;
  expect(ended).toEqual(['a 200', 'b 200', 'c 200', 'd 200', 'e 200', 'z 200']);
  expect(disk.worstBytes).toBe(maxSpillBytes);
});

test('what a lost node was given is given back', async () => {
  const { disk, whole, ended } = start('abcdz', 'az bz cz dz');
  await disk.end('a', 'lost');
  expect(disk.roomOf('d')).toEqual([400]);
  for (const name of 'bcdz') await disk.end(name);
  await whole;
  expect(ended[0]).toBe('a 500');
});
