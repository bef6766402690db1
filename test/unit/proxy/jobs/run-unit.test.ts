import type { NodeResult } from '@zerocloud/object-server';
import { StorageError } from '@zerocloud/object-server/errors';
import type { PlannedNode } from '@zerocloud/proxy/jobs/plan';
import type { RunContext } from '@zerocloud/proxy/jobs/run';
import { runUnit } from '@zerocloud/proxy/jobs/run-unit';

test('a session that ran is no failure when what was staged for it cannot be released', async () => {
  const group = {
    devices: [],
    args: '',
    env: {},
    program: { kind: 'image', image: 'python', member: 'python', url: '' },
  };
  const node = { name: 'n', group, objects: [] } as unknown as PlannedNode;
  const report = {
    validation: 0,
    daemon: false,
    exitCode: 0,
    etags: [],
    accounting: {},
    state: 'ok',
    code: 0,
    elapsedMs: 1,
  };
  for (const name of ['systemSeconds', 'userSeconds']) Object.assign(report.accounting, { [name]: 0 });
  const asked: string[] = [];
  let runs = 0;
  const context = {
    node: {
      runSession: async (): Promise<NodeResult> => {
        if (++runs === 1) throw new StorageError('objectIsManifest', 'a large object');
        return { report, outputs: [] } as unknown as NodeResult;
      },
      releaseBody: (id: string) => {
        asked.push(id);
        return Promise.reject(new StorageError('unavailable', 'the node is away'));
      },
    },
    job: { env: {}, limits: {}, imageDevices: new Set() },
    denied: new Map(),
    signal: {},
    followLinks: async (session: unknown, staged: string[]) => {
      staged.push('one', 'two');
      return session;
    },
  } as unknown as RunContext;
  const unit = { nodes: [node], pipes: [], incoming: [], outgoing: [] };
  const [outcome] = await runUnit(unit, context, undefined);
  expect([outcome?.status, outcome?.state, asked]).toEqual([200, 'ok', ['one', 'two']]);
});
