import { useJobs } from './jobs-support';

const count = 600;
const client = useJobs();
let cat: string;

beforeAll(async () => {
  cat = await client.guest('cat');
  await client.put('in');
  await client.put('out');
  const names = Array.from({ length: count }, (_, index) => `part-${String(index).padStart(4, '0')}`);
  while (names.length > 0) {
    await Promise.all(names.splice(0, 50).map((name) => client.put(`in/${name}`, `${name}\n`.repeat(4000))));
  }
}, 60_000);

const input = { name: 'stdin', path: 'swift://~/in/part-*' };

test('a map step over hundreds of objects stores every output', async () => {
  const answer = await client.job([
    { name: 'map', exec: { path: cat }, devices: [input, { name: 'stdout', path: 'swift://~/out/copy-*' }] },
  ]);
  expect([answer.status, answer.headers['x-nexe-error']]).toEqual([200, undefined]);
  expect((answer.headers['x-nexe-system'] as string).split(',')).toHaveLength(count);
  const listing = await client.get('out?limit=1000');
  expect(listing.body.trim().split('\n')).toHaveLength(count);
  expect((await client.get('out/copy-0599')).body).toBe('part-0599\n'.repeat(4000));
}, 60_000);

test('a map step over hundreds of objects answers with all outputs in order, held in memory or not', async () => {
  const answer = await client.job([{ name: 'map', exec: { path: cat }, devices: [input, { name: 'stdout' }] }]);
  expect([answer.status, answer.headers['content-length']]).toEqual([200, String(count * 40_000)]);
  const lines = answer.body.trimEnd().split('\n');
  expect(lines).toHaveLength(count * 4000);
  for (let index = 0; index < count; index++) {
    expect(lines[index * 4000]).toBe(`part-${String(index).padStart(4, '0')}`);
  }
}, 60_000);
