import { useJobs } from './jobs-support';

const client = useJobs();

const script = `#!file://javascript:qjs
import * as std from 'std';
const words = {};
for (let line; (line = std.in.getline()) !== null; )
  for (const word of line.split(/\\s+/)) words[word] = (words[word] ?? 0) + 1;
print(JSON.stringify(words));
`;

test('a posted JavaScript counts the words of an object', async () => {
  await client.put('texts');
  await client.put('texts/a.txt', 'one two\ntwo');
  const answer = await client.post(
    script,
    { 'content-type': 'application/javascript' },
    `${client.account}/texts/a.txt`,
  );
  expect(answer).toMatchObject({ status: 200, body: '{"one":1,"two":2}\n' });
  expect(answer.headers['x-nexe-status']).toBe('ok');
});

test('the image is announced', async () => {
  const info = JSON.parse((await client.send('GET', '/info')).body) as Record<string, { system_images?: string[] }>;
  expect(Object.values(info).flatMap(({ system_images = [] }) => system_images)).toContain('javascript');
});
