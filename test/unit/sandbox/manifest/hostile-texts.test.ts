import { parseManifest } from '@zerocloud/sandbox/manifest/parse-manifest';
import { parseNvram } from '@zerocloud/sandbox/nvram/parse-nvram';
import fc from 'fast-check';

/** Lines that are nearly right, so that every branch is reached. */
const field = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '1',
    '3',
    '-1',
    '0x10',
    '099',
    '4294967296',
    '18446744073709551615',
    '/dev/stdin',
    '/x',
    'x',
  ),
  fc.constantFrom('/dev/stdout', '/dev/stderr', '/dev/a/b', '/dev/a', 'tcp:1:', 'udp:127.0.0.1:80', '20130611', '..'),
  fc.string({ maxLength: 8 }),
);
const key = fc.constantFrom(
  'Version',
  'Program',
  'Memory',
  'Timeout',
  'Channel',
  'Node',
  'NameServer',
  'Job',
  '[args]',
);
const channel = fc.array(field, { minLength: 7, maxLength: 9 }).map((fields) => `Channel = ${fields.join(',')}`);
const setting = fc
  .tuple(key, fc.array(field, { maxLength: 3 }))
  .map(([name, fields]) => `${name} = ${fields.join(',')}`);
const manifest = fc.array(fc.oneof(channel, setting, fc.string()), { maxLength: 12 }).map((lines) => lines.join('\n'));

const record = fc
  .array(fc.tuple(fc.constantFrom('args', 'name', 'value', 'channel', 'access', 'mountpoint', 'mode', 'x'), field))
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join(','));
const section = fc.constantFrom('[args]', '[env]', '[fstab]', '[mapping]', '[time]', '[debug]', '[precache]', '[x]');
const nvram = fc.array(fc.oneof(section, record, fc.string()), { maxLength: 12 }).map((lines) => lines.join('\n'));

/** A result, or the one error that a text may end with; anything else is a bug. */
function check(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    const { name, code, state } = error as { name: string; code: number; state: string };
    expect({ name, state }).toEqual({ name: 'SessionError', state: expect.stringMatching(/./) });
    expect([12, 14, 22, 23, 93]).toContain(code);
  }
}

test('whatever a manifest says, it is a manifest or an error of a session', () => {
  fc.assert(
    fc.property(manifest, (text) => check(() => parseManifest(text))),
    { numRuns: 2000 },
  );
});

test('whatever a configuration says, it is one or an error of a session', () => {
  fc.assert(
    fc.property(nvram, (text) => check(() => parseNvram(text))),
    { numRuns: 2000 },
  );
});
