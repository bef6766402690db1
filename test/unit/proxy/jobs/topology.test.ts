import type { HttpError } from '@zerocloud/proxy/errors';
import type { Connection } from '@zerocloud/proxy/jobs/connections';
import type { PlannedNode } from '@zerocloud/proxy/jobs/plan';
import { findUnits } from '@zerocloud/proxy/jobs/topology';

/** Nodes of one letter, connections of two: `ab` is from a to b. */
function job(names: string, connections: string) {
  const nodes = [...names].map((name) => ({ name }) as PlannedNode);
  const find = (name: string) => nodes.find((node) => node.name === name)!;
  const pipes = connections
    .split(' ')
    .filter(Boolean)
    .map((pair): Connection => {
      const [from, to] = pair as unknown as [string, string];
      return { from: find(from), output: `out/${to}`, to: find(to), input: `in/${from}`, fileType: 'pipe' };
    });
  return { nodes, pipes };
}

function units(names: string, connections: string, places: number): string[] {
  const { nodes, pipes } = job(names, connections);
  const show = ({ from, to }: Connection) => from.name + to.name;
  return findUnits(nodes, pipes, places).map((unit) => {
    const parts = [unit.pipes, unit.incoming, unit.outgoing].map((some) => some.map(show).join(' '));
    return `${unit.nodes.map(({ name }) => name).join('')}[${parts.join('|')}]`;
  });
}

describe('what runs at the same time', () => {
  test('is every node by itself without connections, in any number', () => {
    expect(units('abc', '', 1)).toEqual(['a[||]', 'b[||]', 'c[||]']);
  });

  test('is what is joined, where there are places for it', () => {
    expect(units('abcd', 'ab cb', 3)).toEqual(['abc[ab cb||]', 'd[||]']);
  });

  test('is each node by itself, after those that write to it, where there are not', () => {
    expect(units('abcd', 'ad bd cd', 3)).toEqual(['a[||ad]', 'b[||bd]', 'c[||cd]', 'd[|ad bd cd|]']);
  });

  test('is each by itself only in the part of the job that is too large', () => {
    expect(units('abcxy', 'ab bc xy', 2)).toEqual(['a[||ab]', 'b[|ab|bc]', 'c[|bc|]', 'xy[xy||]']);
  });

  test('is a circle, also within something larger', () => {
    expect(units('abcd', 'ab bc cb cd', 2)).toEqual(['a[||ab]', 'bc[bc cb|ab|cd]', 'd[|cd|]']);
    expect(units('abcde', 'ab bc ca cd de ed', 3)).toEqual(['abc[ab bc ca||cd]', 'de[de ed|cd|]']);
  });

  test('cannot be a circle that is larger than there are places', () => {
    const { nodes, pipes } = job('abcd', 'ab bc ca cd');
    const refusal = (places: number): HttpError => {
      try {
        findUnits(nodes, pipes, places);
      } catch (error) {
        return error as HttpError;
      }
      throw new Error('was accepted');
    };
    expect(refusal(2)).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^Cluster slot not available: 3 nodes .* at most 2 can$/),
    });
    expect(findUnits(nodes, pipes, 3)).toHaveLength(2);
  });

  test('is found in long chains without a deep stack', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => ({ name: String(index) }) as PlannedNode);
    const pipes = names.slice(1).map((to, index): Connection => {
      return { from: names[index]!, output: 'stdout', to, input: 'stdin', fileType: 'pipe' };
    });
    expect(findUnits(names, pipes, 16)).toHaveLength(10_000);
    const circle = [...pipes, { ...pipes[0]!, from: names.at(-1)!, to: names[0]! }];
    expect(() => findUnits(names, circle, 64)).toThrow();
    expect(findUnits(names, circle, 10_000)).toHaveLength(1);
  });
});
