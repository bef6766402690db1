import { StorageError } from '@zerocloud/object-server/errors';
import { defaultSwiftLimits } from '@zerocloud/proxy/config';
import type { HttpError } from '@zerocloud/proxy/errors';
import { type PlanContext, planJob } from '@zerocloud/proxy/jobs/plan';

const stored: Record<string, string[]> = {
  c_in1: ['input1', 'input2', 'junk'],
  c_in2: ['input1', 'dir/', 'x/deep/input3'],
  one: ['only'],
  empty: [],
};

const context: PlanContext = {
  account: 'me',
  hasUserImage: false,
  maxNodes: 20,
  maxConnections: 30,
  targetLimits: defaultSwiftLimits,
  systemImages: async () => new Set(['python']),
  listings: {
    async *containers(account, prefix) {
      if (account !== 'me') throw new StorageError('accountNotFound', 'no such account');
      yield* Object.keys(stored).filter((name) => name.startsWith(prefix));
    },
    async *objects(_account, container, prefix) {
      const names = stored[container];
      if (!names) throw new StorageError('containerNotFound', 'no such container');
      yield* names.filter((name) => name.startsWith(prefix));
    },
  },
};

const exec = { path: 'swift://~/bin/prog.wasm' };

function plan(description: unknown, overrides: Partial<PlanContext> = {}) {
  return planJob(description, { ...context, ...overrides });
}

async function refusal(description: unknown, overrides?: Partial<PlanContext>): Promise<[number, string]> {
  const error: HttpError = await plan(description, overrides).then(
    () => Promise.reject(new Error('was accepted')),
    (error) => error,
  );
  return [error.status, error.body];
}

/** A one-node job with these devices. */
const withDevices = (...devices: object[]) => [{ name: 'n', exec, devices }];
const internal = 'Config parser internal error';

describe('a job description is refused with 400', () => {
  test.each<[unknown, string]>([
    [[{}], 'Must specify node name'],
    [[{ name: '' }], 'Must specify node name'],
    [[{ name: 'a\u0001' }], 'Invalid node name'],
    [[{ name: 'a\ufffe' }], 'Invalid node name'],
    [[{ name: 'a\ud800' }], 'Invalid node name'],
    [[{ name: 'n' }], 'Must specify exec stanza for n'],
    [[{ name: 'n', exec: {} }], 'Must specify exec stanza for n'],
    [[{ name: 'n', exec: { args: 'x' } }], 'Must specify executable path for n'],
    [[{ name: 'n', exec: { path: 'prog.wasm' } }], 'Must specify executable path for n'],
    [[{ name: 'n', exec: { path: 'tcp://host:1' } }], 'Must specify executable path for n'],
    [[{ name: 'n', exec: { path: 'zvm://other:stdout' } }], 'Executable path cannot be a zvm path in n'],
    [[{ name: 'n', exec: { path: 'swift://a/c/o\n' } }], 'Invalid nexe property for n'],
    [[{ name: 'n', exec: { ...exec, args: 'a\nb' } }], 'Invalid nexe property for n'],
    [[{ name: 'n', exec: { ...exec, args: 'a\\x00' } }], 'Invalid nexe property for n'],
    [[{ name: 'n', exec: { ...exec, env: { A: '\0' } } }], 'Invalid nexe property for n'],
    [[{ name: 'n', exec: { ...exec, env: { 'A=B': 'x' } } }], 'Invalid nexe property for n'],
    [[{ name: 'n', exec, count: 0 }], 'Invalid node count: 0'],
    [[{ name: 'n', exec, count: '2' }], 'Invalid node count: 2'],
    [[{ name: 'n', exec, count: 1.5 }], 'Invalid node count: 1.5'],
    [[{ name: 'n', exec, count: true }], 'Invalid node count: true'],
    [withDevices({ name: 'std\tin' }), 'Bad device name: std\tin in n'],
    [withDevices({ path: 'swift://~/c/o' }), 'Must specify device for file in n'],
    [withDevices({ name: 'stdin', path: 'zvm://n:stdout' }), 'Readable device must be a swift object'],
    [withDevices({ name: 'input', path: 'file://image:x' }), 'Readable device must be a swift object'],
    [withDevices({ name: 'input', path: '/me/c/o' }), 'Readable device must be a swift object'],
    [withDevices({ name: 'stdin', path: 'swift://me' }), 'Invalid path swift://me in n'],
    [withDevices({ name: 'stdin', path: 'swift://*' }), 'Invalid path swift://* in n'],
    [withDevices({ name: 'stdin', path: 'swift:///c/o' }), internal],
    [withDevices({ name: 'stdout', path: 'swift://me/c' }), 'Container path must be read-only'],
    [withDevices({ name: 'stdin', path: 'swift://*/c/o' }), 'Invalid path: swift://*/c/o'],
    [withDevices({ name: 'stdin', path: 'swift://~/gone/*' }), 'Error querying object server for container: gone'],
    [withDevices({ name: 'stdin', path: 'swift://you/c*/*' }), 'Error querying object server for account: you'],
    [withDevices({ name: 'stdin', path: 'swift://~/empty/*' }), 'No objects found in path swift://me/empty/*'],
    [withDevices({ name: 'stdin', path: 'swift://~/no*/*' }), 'No objects found in path swift://me/no*/*'],
    [
      withDevices({ name: 'stdin', path: 'swift://~/c_in1/*' }, { name: 'stdout', path: 'swift://~/out/*-*' }),
      'Wildcards in input cannot be resolved into output path swift://me/out/*-*',
    ],
    [
      withDevices({ name: 'stdin', path: 'swift://~/c_in1/*' }, { name: 'stdout', path: 'swift://~/out/same' }),
      'Single path swift://me/out/same for multiple node definition: n, please use wildcard',
    ],
    [
      [{ name: 'n', exec, count: 2, devices: [{ name: 'stdout', path: 'swift://~/out/same' }] }],
      'Single path swift://me/out/same for multiple node definition: n, please use wildcard',
    ],
    [withDevices({ name: 'output' }), 'Immediate response is not available for device output'],
    [withDevices({ name: 'stdout', path: 'zvm://n:in*' }), 'Cannot resolve wildcard for node n'],
    [[{ name: 'n', exec, connect: ['ghost'] }], 'Non-existing node in connect ghost'],
    [withDevices({ name: 'stdout', path: 'zvm://ghost:stdin' }), 'Non-existing node in connect ghost'],
    [[{ name: 'n', exec, connect: ['n'] }], 'Cannot bind to itself: n'],
    [[], 'Config parser cannot resolve any job nodes'],
    [{}, internal],
    ['text', internal],
    [[17], internal],
    [[{ name: 17 }], internal],
    [[{ name: 'n', exec: 'prog' }], internal],
    [[{ name: 'n', exec: { ...exec, args: ['a'] } }], internal],
    [[{ name: 'n', exec: { ...exec, env: 'A=B' } }], internal],
    [[{ name: 'n', exec, devices: {} }], internal],
    [[{ name: 'n', exec, devices: ['stdout'] }], internal],
    [[{ name: 'n', exec, connect: 'n' }], internal],
    [[{ name: 'n', exec, replicate: -1 }], internal],
    [withDevices({ name: 'stdout', mode: 'socket' }), internal],
    [withDevices({ name: 'stdout', min_size: '1' }), internal],
    [withDevices({ name: 'stdout', min_size: -1 }), internal],
    [withDevices({ name: 'stdout', content_type: 'a\r\nb: c' }), internal],
    [withDevices({ name: 'stdout', path: 'nonsense' }), internal],
    [withDevices({ name: 'stdin', path: 'swift://~/c/a\0b' }), internal],
    [withDevices({ name: 'stdtest' }), 'Could not resolve channel path "" for device: stdtest'],
    [withDevices({ name: 'input' }), 'Could not resolve channel path "" for device: input'],
    [withDevices({ name: 'image' }), 'Could not resolve channel path "" for device: image'],
    [
      withDevices({ name: 'ouput', path: 'swift://~/c/o' }),
      'Could not resolve channel path "swift://me/c/o" for device: ouput',
    ],
    [[{ name: 'n', exec: { path: 'file://main.wasm' } }], 'No executable found in request'],
    [[{ name: 'n', exec: { path: 'file://perl:perl' } }], 'No executable found in request'],
    [[{ name: 'n', exec: { path: 'swift://~/bin' } }], 'Cannot use container /me/bin as a remote object reference'],
    [
      withDevices({ name: 'stdin', path: 'swift://~/c' }, { name: 'input', path: 'swift://~/c/o' }),
      'Cannot use container /me/c as a remote object reference',
    ],
    [withDevices({ name: 'stdin' }, { name: 'stdin' }), 'Duplicate device name: stdin in n'],
    [
      [
        { name: 'n', exec },
        { name: 'n', exec },
      ],
      'Duplicate node name: n',
    ],
    [
      [
        { name: 'n', exec, count: 2 },
        { name: 'n-2', exec },
      ],
      'Duplicate node name: n-2',
    ],
    [[{ name: 'n', exec, count: 21 }], 'Too many nodes in job: at most 20'],
    [
      withDevices({ name: 'stdin', path: 'swift://~/c_in1/*' }, { name: 'input', path: 'swift://~/c_in2/*' }),
      'Wildcards of node n match different numbers of objects',
    ],
    [
      withDevices({ name: 'stdout', path: `swift://~/c/${'é'.repeat(1025)}` }),
      'Object name length of 1025 longer than 1024',
    ],
    [withDevices({ name: 'stdout', path: 'swift://~/c/o', meta: { '': 'x' } }), 'Metadata name cannot be empty'],
    [
      withDevices({ name: 'stdout', path: 'swift://~/c/o', meta: { k: 'x'.repeat(257) } }),
      'Metadata value longer than 256: X-Object-Meta-k',
    ],
    [
      withDevices({ name: 'stdout', path: 'swift://~/c/o', meta: { k: 'x'.repeat(8193) } }),
      'Header value too long: X-Object-Meta-k',
    ],
    [
      withDevices({ name: 'stdout', path: 'swift://~/c/o', meta: { ['k'.repeat(129)]: 'x' } }),
      `Metadata name too long: X-Object-Meta-${'k'.repeat(129)}`,
    ],
  ])('%j: %s', async (description, sentence) => {
    expect(await refusal(description)).toEqual([400, sentence]);
  });

  test('for the first fault in list order, before faults of later groups', async () => {
    expect(await refusal([...withDevices({ name: 'output' }), {}])).toEqual([
      400,
      'Immediate response is not available for device output',
    ]);
  });
});

test.each(['swift://~/c*/*', 'swift://~/c_in1/*'])(
  'a storage node that is away is no fault of the description: %s',
  async (path) => {
    const away = new StorageError('unavailable', 'The storage node does not answer.');
    const refuse = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(away) }) });
    const listings = { containers: refuse, objects: refuse } as unknown as PlanContext['listings'];
    await expect(plan(withDevices({ name: 'stdin', path }), { listings })).rejects.toBe(away);
  },
);

describe('what this server does not do yet is refused with 501, once the description is right', () => {
  test.each<[unknown, string]>([
    [withDevices({ name: 'debug', path: 'tcp://host:1' }), 'Device debug is not supported'],
  ])('%j: %s', async (description, sentence) => {
    expect(await refusal(description)).toEqual([501, sentence]);
  });
});

describe('a plan of connected nodes', () => {
  const shown = async (description: unknown, overrides?: Partial<PlanContext>) => {
    const { connections } = await plan(description, overrides);
    return connections.map(({ from, output, to, input }) => `${from.name}:${output} > ${to.name}:${input}`);
  };

  test('joins all nodes of a group with all of each group in connect', async () => {
    const description = [
      { name: 'map', exec, count: 2, connect: ['reduce', 'log'] },
      { name: 'reduce', exec, count: 2 },
      { name: 'log', exec },
    ];
    expect(await shown(description)).toEqual([
      'map-1:out/reduce-1 > reduce-1:in/map-1',
      'map-1:out/reduce-2 > reduce-2:in/map-1',
      'map-2:out/reduce-1 > reduce-1:in/map-2',
      'map-2:out/reduce-2 > reduce-2:in/map-2',
      'map-1:out/log > log:in/map-1',
      'map-2:out/log > log:in/map-2',
    ]);
  });

  test('joins a group with itself: n nodes, n (n - 1) connections', async () => {
    expect(await shown([{ name: 'n', exec, count: 4, connect: ['n'] }])).toHaveLength(12);
  });

  test('has as many connections as the job may have, and no more', async () => {
    const all = (count: number) => [{ name: 'n', exec, count, connect: ['n'] }];
    expect(await shown(all(5), { maxConnections: 25 })).toHaveLength(20);
    expect(await refusal(all(5), { maxConnections: 24 })).toEqual([400, 'Too many connections in job: at most 24']);
  });

  test('fills the stars of a device with what its node took', async () => {
    const devices = [
      { name: 'stdin', path: 'swift://~/c_in*/input*' },
      { name: 'stdout', path: 'zvm://end:from-*-*' },
    ];
    expect(
      await shown([
        { name: 'map', exec, devices },
        { name: 'end', exec },
      ]),
    ).toEqual(['map-1:stdout > end:from-1-1', 'map-2:stdout > end:from-1-2', 'map-3:stdout > end:from-2-1']);
  });
});

describe('a plan', () => {
  test('has one node for a group without devices, and `count` of them on request', async () => {
    const { nodes } = await plan([
      { name: 'a', exec },
      { name: 'b', exec, count: 3 },
    ]);
    expect(nodes.map(({ name }) => name)).toEqual(['a', 'b-1', 'b-2', 'b-3']);
  });

  test('has one node for every match, suffixed even when there is one', async () => {
    const { nodes } = await plan([
      { name: 'mapper', exec, count: 7, devices: [{ name: 'stdin', path: 'swift://~/one/*' }] },
    ]);
    expect(nodes.map(({ name, objects }) => [name, objects[0]!.object])).toEqual([['mapper-1', 'only']]);
  });

  test('fills captured stars into the outputs, skips pseudo-directories, and shares plain inputs', async () => {
    const { nodes } = await plan(
      withDevices(
        { name: 'input', path: 'swift://~/one/only' },
        { name: 'stdin', path: 'swift://~/c_in*/*in*' },
        { name: 'stdout', path: 'swift://~/c_out*/*out*' },
      ),
    );
    const shown = nodes.map(({ name, objects }) => [
      name,
      ...objects.map((path) => `${path!.container}/${path!.object}`),
    ]);
    expect(shown).toEqual([
      ['n-1', 'one/only', 'c_in1/input1', 'c_out1/output1'],
      ['n-2', 'one/only', 'c_in1/input2', 'c_out1/output2'],
      ['n-3', 'one/only', 'c_in2/input1', 'c_out2/output1'],
      ['n-4', 'one/only', 'c_in2/x/deep/input3', 'c_out2/x/deep/output3'],
    ]);
  });

  test('pairs several wildcards by index', async () => {
    const { nodes } = await plan(
      withDevices({ name: 'stdin', path: 'swift://~/c_in1/in*' }, { name: 'input', path: 'swift://~/c_in2/*in*' }),
    );
    expect(nodes.map(({ objects }) => objects.map((path) => path!.object))).toEqual([
      ['input1', 'input1'],
      ['input2', 'x/deep/input3'],
    ]);
  });

  test('fills stars with the node name when nothing readable has one', async () => {
    const devices = [{ name: 'stdout', path: 'swift://~/out/wout.*' }];
    const many = await plan([{ name: 'sort', exec, count: 2, devices }]);
    const one = await plan([{ name: 'sort', exec, devices }]);
    expect([...many.nodes, ...one.nodes].map(({ objects }) => objects[0]!.object)).toEqual([
      'wout.sort-1',
      'wout.sort-2',
      'wout.sort',
    ]);
  });

  test('takes file_list before devices, device before name, and drops empty variables', async () => {
    const { nodes } = await plan([
      {
        name: 'n',
        exec: { ...exec, env: { A: '', B: null, C: false, D: 0, E: '0', F: 1.5, G: 'x,y\nz', __proto__: null } },
        devices: [{ name: 'stdin' }],
        file_list: [{ name: 'ignored', device: 'stdout' }],
        unknown_key: 1,
      },
    ]);
    expect(nodes[0]!.group.devices.map(({ name }) => name)).toEqual(['stdout']);
    expect({ ...nodes[0]!.group.env }).toEqual({ E: '0', F: '1.5', G: 'x,y\nz' });
  });

  test('knows system images among the devices and asks for their names only when it must', async () => {
    const { imageDevices } = await plan([{ name: 'n', exec, devices: [{ name: 'python' }] }]);
    expect([...imageDevices]).toEqual(['python']);
    const systemImages = () => Promise.reject(new Error('asked in vain'));
    await plan(withDevices({ name: 'stdout' }), { systemImages });
  });

  test('puts the first node of every location first', async () => {
    const { nodes } = await plan([
      { name: 'a', exec },
      { name: 'b', exec, count: 2, location: 'here' },
      { name: 'c', exec, location: 'there' },
      { name: 'd', exec, location: 'here' },
    ]);
    expect(nodes.map(({ name }) => name)).toEqual(['b-1', 'c', 'a', 'b-2', 'd']);
  });

  test.each<[string, object[], string | undefined, string | undefined]>([
    ['the only input', [{ name: 'stdin', path: 'swift://~/c/o' }, { name: 'stdout' }], undefined, 'stdin'],
    [
      'the last of two inputs',
      [
        { name: 'stdin', path: 'swift://~/c/1' },
        { name: 'input', path: 'swift://~/c/2' },
      ],
      undefined,
      'input',
    ],
    [
      'the attached one',
      [
        { name: 'stdin', path: 'swift://~/c/1' },
        { name: 'input', path: 'swift://~/c/2' },
      ],
      'stdin',
      'stdin',
    ],
    [
      'data before an image',
      [
        { name: 'input', path: 'swift://~/c/1' },
        { name: 'image', path: 'swift://~/c/2' },
      ],
      undefined,
      'input',
    ],
    [
      'data before a script',
      [
        { name: 'input', path: 'swift://~/c/1' },
        { name: 'script', path: 'swift://~/c/2' },
      ],
      undefined,
      'input',
    ],
    ['the first output for want of inputs', [{ name: 'stdout', path: 'swift://~/c/1' }], undefined, 'stdout'],
    [
      'no output behind a returned one',
      [{ name: 'stdout' }, { name: 'stderr', path: 'swift://~/c/1' }],
      undefined,
      undefined,
    ],
    [
      'none when the attached one has no object',
      [{ name: 'stdin', path: 'swift://~/c/1' }, { name: 'stdout' }],
      'stdout',
      undefined,
    ],
    ['none', [{ name: 'stdout' }], undefined, undefined],
  ])('takes as local object: %s', async (_, devices, attach, local) => {
    const { nodes } = await plan([{ name: 'n', exec, devices, attach }]);
    const { group, local: index } = nodes[0]!;
    expect(index === undefined ? undefined : group.devices[index]!.name).toBe(local);
  });
});

test.each<[string, unknown, boolean]>([
  ['names its objects', withDevices({ name: 'stdin', path: 'swift://~/one/only' }), true],
  ['has a wildcard', withDevices({ name: 'stdin', path: 'swift://~/one/*' }), false],
  ['has several nodes', [{ name: 'n', exec, count: 2 }], false],
])('the plan of a job that %s lasts: %#', async (_, description, lasts) => {
  expect((await plan(description)).isLasting).toBe(lasts);
});
