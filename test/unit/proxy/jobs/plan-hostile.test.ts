import { defaultSwiftLimits } from '@zerocloud/proxy/config';
import { HttpError } from '@zerocloud/proxy/errors';
import { type PlanContext, planJob } from '@zerocloud/proxy/jobs/plan';
import fc from 'fast-check';

const context: PlanContext = {
  account: 'me',
  hasUserImage: true,
  hasPayload: true,
  maxNodes: 10_000,
  maxConnections: 20_000,
  targetLimits: defaultSwiftLimits,
  systemImages: async () => new Set(['python']),
  listings: {
    async *containers() {
      yield* ['in', 'in2'];
    },
    async *objects() {
      yield* ['a', 'b', 'in/c'];
    },
  },
};

const exec = { path: 'swift://~/bin/prog.wasm' };

async function refusal(description: unknown): Promise<[number, string]> {
  const error: HttpError = await planJob(description, context).then(
    () => Promise.reject(new Error('was accepted')),
    (error) => error,
  );
  return [error.status, error.body];
}

/** Lists in lists, as deep as JSON in a request may have them. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

describe('a hostile description is refused', () => {
  test.each([
    ['an env value', { exec: { ...exec, env: { A: nested(30_000) } } }],
    ['a count', { count: nested(30_000) }],
    ['an env', { exec: { ...exec, env: nested(30_000) } }],
    ['a device', { devices: nested(30_000) }],
  ])('when %s is nested deeper than it could be written again', async (_, part) => {
    expect(await refusal([{ name: 'n', exec, ...part }])).toEqual([400, 'Config parser internal error']);
  });

  it('when the name of a node is longer than that of a file may be', async () => {
    expect(await refusal([{ name: 'n'.repeat(256), exec }])).toEqual([400, 'Invalid node name']);
    expect(await refusal([{ name: 'ä'.repeat(128), exec }])).toEqual([400, 'Invalid node name']);
    await expect(planJob([{ name: 'n'.repeat(255), exec }], context)).resolves.toBeDefined();
  });

  it.each(['swift://~/c/a\ud800', 'swift://~/c\udc00/a'])('when a path has half a character: %j', async (path) => {
    for (const name of ['stdin', 'stdout']) {
      const description = [{ name: 'n', exec, devices: [{ name, path }] }];
      expect(await refusal(description)).toEqual([400, 'Config parser internal error']);
    }
  });

  it('when a path has more stars than anybody needs, for what each takes is kept', async () => {
    for (const name of ['stdin', 'stdout']) {
      const path = (stars: number) => [
        { name: 'n', exec, devices: [{ name, path: `swift://~/in/${'*'.repeat(stars)}` }] },
      ];
      expect(await refusal(path(101))).toEqual([400, 'Too many wildcards in path: at most 100']);
      await expect(planJob(path(100), context)).resolves.toBeDefined();
    }
  });

  it('when all its nodes together have too many devices, before they are laid out', async () => {
    const devices = Array.from({ length: 1000 }, (_, index) => ({ name: `input-${index}`, path: 'swift://~/c/o' }));
    const sentence = 'Too many devices in job: at most 200000';
    expect(await refusal([{ name: 'n', exec, devices, count: 201 }])).toEqual([400, sentence]);
    const two = [
      { name: 'm', exec, devices, count: 100 },
      { name: 'n', exec, devices, count: 101 },
    ];
    expect(await refusal(two)).toEqual([400, sentence]);
    await expect(planJob([{ name: 'n', exec, devices, count: 200 }], context)).resolves.toBeDefined();
  });

  it('when its pipes are too many, those of every device counted', async () => {
    const devices = Array.from({ length: 1000 }, (_, index) => ({ name: `d${index}`, path: `zvm://m:d${index}` }));
    const description = [
      { name: 'n', exec, devices },
      { name: 'm', exec, count: 21 },
    ];
    expect(await refusal(description)).toEqual([400, 'Too many connections in job: at most 20000']);
  });

  it('when a group is named twice among very many', async () => {
    const connect = Array.from({ length: 60_000 }, (_, index) => `n${index}`);
    const startedAt = performance.now();
    expect(await refusal([{ name: 'n', exec, connect: [...connect, 'n59999'] }])).toEqual([
      400,
      'Duplicate node in connect n59999 for node n',
    ]);
    // Looked up one by one in the list, this takes many seconds.
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it.each([
    ['nothing', 'swift://~/in/a*', 'swift://~/out/*'],
    ['no container', 'swift://~/in*/a', 'swift://~/*/x'],
    ['a slash in a container', 'swift://~/in/in*', 'swift://~/out*/x'],
  ])('when wildcards leave %s for the name of an output', async (_, input, output) => {
    const devices = [
      { name: 'stdin', path: input },
      { name: 'stdout', path: output },
    ];
    const [status, sentence] = await refusal([{ name: 'n', exec, devices }]);
    expect([status, sentence.replace(/swift:\S*/, '…')]).toEqual([400, 'Invalid path … in output of wildcards']);
  });

  it.each(['a b', 'a(b', 'a/b', 'a"', 'a:b', 'a\\', 'a\n'])(
    'when metadata have a name that is none of a header: %j',
    async (name) => {
      const devices = [{ name: 'stdout', path: 'swift://~/out/x', meta: { [name]: 'x' } }];
      expect(await refusal([{ name: 'n', exec, devices }])).toEqual([400, `Invalid metadata: ${JSON.stringify(name)}`]);
    },
  );

  it('when the type of a stored output is longer than a header may be', async () => {
    const devices = [{ name: 'stdout', path: 'swift://~/out/x', content_type: `a/${'x'.repeat(8191)}` }];
    expect(await refusal([{ name: 'n', exec, devices }])).toEqual([400, 'Header value too long: Content-Type']);
  });
});

/** What stands where: often right, often something else, and names that objects are born with. */
const anything = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '*', 'default', 'n', 'm', 0, -1, 1.5, 1e21, null, true),
);
const mostly = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 40, arbitrary: right }, { weight: 1, arbitrary: anything });
const paths = fc.oneof(
  fc.constantFrom(
    'swift://~/in/*',
    'swift://~/in*/a*',
    'swift://~/in',
    'swift://~/out/*',
    'swift://~/out/x',
    'swift://*',
  ),
  fc.constantFrom(
    'zvm://n:stdin',
    'zvm://m:/dev/x',
    'zvm://__proto__:x',
    'file://python:python',
    'file://main',
    'tcp://h:1',
  ),
  fc.string({ unit: 'binary' }).map((text) => `swift://~/${text}`),
);
const names = fc.constantFrom('n', 'm', '__proto__', 'constructor', 'a/b', '..', 'ä', '*');
const devices = fc.record(
  {
    name: mostly(
      fc.constantFrom(
        'stdin',
        'stdout',
        'stderr',
        'input',
        'input-x',
        'output',
        'image',
        'script',
        'db',
        'python',
        '__proto__',
      ),
    ),
    device: mostly(fc.constant(null)),
    path: fc.oneof(paths, fc.constantFrom('swift://~/in/*', 'swift://~/out/x*', 'zvm://m:x')),
    content_type: mostly(fc.string()),
    meta: mostly(fc.dictionary(fc.constantFrom('A', 'a', '__proto__'), mostly(fc.string()))),
    mode: mostly(fc.constantFrom('file', 'pipe')),
    min_size: mostly(fc.nat()),
  },
  { requiredKeys: ['name'] },
);
const groups = fc.record(
  {
    name: mostly(names),
    exec: mostly(
      fc.record(
        {
          path: mostly(fc.constant(exec.path)),
          args: mostly(fc.string()),
          env: mostly(fc.dictionary(fc.constantFrom('A', '__proto__', 'constructor'), anything)),
          name: mostly(fc.constant('argv0')),
          daemon: mostly(fc.constant(null)),
        },
        { requiredKeys: ['path'] },
      ),
    ),
    devices: mostly(fc.array(mostly(devices), { maxLength: 4 })),
    file_list: mostly(fc.constant(null)),
    count: mostly(fc.constantFrom(1, 2, 3, 10_001)),
    connect: mostly(fc.array(names, { maxLength: 3 })),
    replicate: mostly(fc.constantFrom(0, 1, 2)),
    attach: mostly(fc.constantFrom('stdin', 'stdout')),
    location: mostly(fc.string()),
  },
  { requiredKeys: ['name', 'exec'] },
);

test('whatever stands in a description, it has a plan or is refused with a sentence', async () => {
  const outcomes = { planned: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.array(mostly(groups), { maxLength: 3 }), anything), async (value) => {
      // As it comes: parsed from JSON, so that `__proto__` is a name like any other.
      const description: unknown = JSON.parse(JSON.stringify(value));
      try {
        const plan = await planJob(description, context);
        expect(plan.nodes.length).toBeGreaterThan(0);
        for (const { objects } of plan.nodes) for (const path of objects) if (path) expect(path.object).not.toBe('');
        outcomes.planned++;
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        expect([400, 501]).toContain(error.status);
        expect(error.body).not.toBe('');
        for (const text of Object.values(error.headers)) expect(text).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
        outcomes.refused++;
      }
    }),
    { numRuns: 3000 },
  );
  expect(outcomes.planned).toBeGreaterThan(20);
});
