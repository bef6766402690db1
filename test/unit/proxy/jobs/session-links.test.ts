import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { NodeSession } from '@zerocloud/object-server';
import { withoutLinks } from '@zerocloud/proxy/jobs/session-links';

const object = (name: string) => ({ kind: 'object', path: { account: 'AUTH_test', container: 'c', object: name } });
const session = {
  program: { kind: 'source', source: object('program') },
  channels: [{ device: 'stdin', source: object('input') }, { device: 'stdout' }],
};

/** Node ends a process over a failure that nobody waits for, which Jest hides from its tests: so one of its own. */
const script = `
const { withoutLinks } = require(process.argv[1]);
const [session, bad] = process.argv.slice(2).map((text) => JSON.parse(text));
const turn = () => new Promise((resolve) => setImmediate(resolve));
const findObject = async ({ object }) => {
  if (object === bad) throw new Error('no ' + bad);
  await turn();
  await turn();
};
withoutLinks(session, { findObject }, { demand: async () => {} }, 2).catch((error) => console.log(error.message));
`;
const moduleFile = path.join(__dirname, '../../../../packages/proxy/dist/jobs/session-links.js');

describe('following the links of a session', () => {
  test.each(['input', 'program'])(
    'throws what looking at its %s fails with, to who waits and to nobody else',
    async (bad) => {
      const args = ['-e', script, moduleFile, JSON.stringify(session), JSON.stringify(bad)];
      const { stdout } = await promisify(execFile)(process.execPath, args);
      expect(stdout).toBe(`no ${bad}\n`);
    },
  );

  test('keeps what is none', async () => {
    const node = { findObject: async () => undefined };
    const rights = { demand: async () => undefined };
    await expect(withoutLinks(session as unknown as NodeSession, node, rights, 2)).resolves.toEqual(session);
  });
});
