import { parseManifest } from '@zerocloud/sandbox/manifest/parse-manifest';

const lines = {
  Version: '20130611',
  Program: '/home/me/prog',
  Memory: '4294967296,0',
  Timeout: '50',
};
const stdin = '/dev/stdin,/dev/stdin,0,0,4294967296,4294967296,0,0';
const stdout = '/dev/stdout,/dev/stdout,0,0,0,0,4294967296,4294967296';
const stderr = '/dev/stderr,/dev/stderr,0,0,0,0,4294967296,4294967296';

/** A correct manifest with other keys, and channels behind the standard ones. */
function manifest(changes: Record<string, string | undefined> = {}, channels = [stdin, stdout, stderr]): string {
  const keys = Object.entries({ ...lines, ...changes }).filter(([, value]) => value !== undefined);
  return [...keys.map(([key, value]) => `${key} = ${value}`), ...channels.map((one) => `Channel = ${one}`)].join('\n');
}

function withChannel(text: string): string {
  return manifest({}, [stdin, stdout, stderr, text]);
}

/** State and code of the error that a text fails with. */
function failureOf(text: string): { state: string; code: number } {
  try {
    parseManifest(text);
  } catch (error) {
    const { state, code } = error as { state: string; code: number };
    return { state, code };
  }
  throw new Error('the manifest was accepted');
}

describe('a manifest', () => {
  test('is read with all of its keywords', () => {
    const text = manifest(
      { Node: '3', NameServer: 'udp:127.0.0.1:54321', Job: '/tmp/job', Etag: 'whatever', Memory: '0x4000000,1' },
      [stdin, stdout, stderr, '/data/x y, /dev/x ,3,1,010,0x20,7,100'],
    );
    expect(parseManifest(text)).toEqual({
      program: '/home/me/prog',
      memoryBytes: 64 * 1024 ** 2,
      memoryEtag: true,
      timeoutS: 50,
      node: 3,
      nameServer: { host: '127.0.0.1', port: 54321 },
      job: '/tmp/job',
      channels: [
        expect.objectContaining({ line: 9, alias: '/dev/stdin' }),
        expect.objectContaining({ line: 10, alias: '/dev/stdout' }),
        expect.objectContaining({ line: 11, alias: '/dev/stderr' }),
        {
          line: 12,
          path: '/data/x y',
          alias: '/dev/x',
          type: 3,
          etag: true,
          limits: { reads: 8, readBytes: 32, writes: 7, writeBytes: 100 },
        },
      ],
    });
  });

  test('takes lines with one equals sign; all others, and unknown keys, are comments', () => {
    const text = ['# a comment', 'Timeout = 1 = 2', 'Colour = blue', '', manifest()].join('\r\n');
    expect(parseManifest(text)).toMatchObject({ timeoutS: 50 });
  });

  test('can be as long as its limits', () => {
    const text = manifest();
    const lines = text.split('\n').length;
    const longest = `${text}${'\n'.repeat(8192 - lines)}`;
    expect(parseManifest(longest + '#'.repeat(512 * 1024 - longest.length)).timeoutS).toBe(
      parseManifest(text).timeoutS,
    );
  });

  test.each([
    ['Version', '20130611'],
    ['Program', '/x'],
    ['Memory', '4294967296,0'],
    ['Timeout', '1'],
    ['Node', '1'],
    ['NameServer', 'udp:127.0.0.1:1'],
    ['Job', '/x'],
    ['Etag', '1'],
  ])('takes %s once', (key, value) => {
    const once = manifest({ Node: '7', [key]: value });
    expect(() => parseManifest(once)).not.toThrow();
    const error = expect(() => parseManifest(`${once}\n${key} = ${value}`));
    error.toThrow(expect.objectContaining({ state: `duplicate ${key} keyword`, code: 14 }));
  });

  test.each(['26214400', '0x1900000', '0144000000', ' +26214400 '])('takes %s bytes of memory', (bytes) => {
    expect(parseManifest(manifest({ Memory: `${bytes},1` }))).toMatchObject({
      memoryBytes: 26_214_400,
      memoryEtag: true,
    });
  });

  test('keeps upper and lower case apart', () => {
    expect(failureOf(manifest({ Version: undefined, version: '20130611' })).state).toBe('Version not specified');
  });

  test('takes the largest numbers for what they are worth', () => {
    const all = '9223372036854775807';
    const { channels } = parseManifest(withChannel(`/x,/dev/x,3,0,${all},${all},0,0`));
    expect(channels[3]!.limits.readBytes).toBe(2 ** 63);
  });

  test.each([
    ['nothing at all', '', 'Version not specified', 14],
    ['no version', manifest({ Version: undefined }), 'Version not specified', 14],
    ['another version', manifest({ Version: '20140509' }), 'MANIFEST 1: invalid manifest version', 14],
    ['no program', manifest({ Program: undefined }), 'Program not specified', 14],
    ['no memory', manifest({ Memory: undefined }), 'Memory not specified', 14],
    ['no timeout', manifest({ Timeout: undefined }), 'Timeout not specified', 14],
    ['two timeouts', `${manifest()}\nTimeout = 1`, 'duplicate Timeout keyword', 14],
    ['two programs', `${manifest()}\nProgram = /x`, 'duplicate Program keyword', 14],
    ['timeout 0', manifest({ Timeout: '0' }), 'invalid timeout 0', 14],
    ['negative timeout', manifest({ Timeout: '-5' }), 'invalid timeout -5', 14],
    ['timeout in words', manifest({ Timeout: 'ten' }), "MANIFEST 4: invalid numeric value 'ten'", 14],
    ['memory in words', manifest({ Memory: 'much,0' }), 'MANIFEST 3: invalid memory token', 14],
    ['memory of three fields', manifest({ Memory: '1,0,0' }), 'MANIFEST 3: invalid memory token', 14],
    ['memory without etag', manifest({ Memory: '4294967296' }), 'MANIFEST 3: invalid memory etag token', 14],
    ['memory etag 2', manifest({ Memory: '4294967296,2' }), 'MANIFEST 3: invalid memory etag token', 14],
    ['no memory to speak of', manifest({ Memory: '0,0' }), 'invalid memory size', 12],
    ['negative memory', manifest({ Memory: '-1,0' }), 'invalid memory size', 12],
    ['more than 4 GiB', manifest({ Memory: '4294967297,0' }), 'invalid memory size', 12],
    ['no room for a heap', manifest({ Memory: '25165823,0' }), 'user heap size is too small', 12],
    ['a node in words', manifest({ Node: 'one' }), "MANIFEST 5: invalid numeric value 'one'", 14],
    ['node 0', manifest({ Node: '0' }), "MANIFEST 5: invalid numeric value '0'", 14],
    ['name server without node', manifest({ NameServer: 'udp:127.0.0.1:1' }), 'Node not specified', 14],
    [
      'name server by tcp',
      manifest({ NameServer: 'tcp:127.0.0.1:1', Node: '1' }),
      'MANIFEST 5: invalid channel url',
      14,
    ],
    [
      'name server by name',
      manifest({ NameServer: 'udp:localhost:1', Node: '1' }),
      'MANIFEST 5: malformed ip token',
      14,
    ],
    [
      'name server, port 0',
      manifest({ NameServer: 'udp:127.0.0.1:0', Node: '1' }),
      'MANIFEST 5: malformed ip token',
      14,
    ],
    ['a long job', manifest({ Job: `/${'j'.repeat(108)}` }), 'MANIFEST 5: too long Job name', 14],
    ['no channels', manifest({}, []), 'Channel not specified', 14],
    ['no stdin', manifest({}, [stdout, stderr]), '/dev/stdin not specified', 14],
    ['no stdout', manifest({}, [stdin, stderr]), '/dev/stdout not specified', 14],
    ['no stderr', manifest({}, [stdin, stdout]), '/dev/stderr not specified', 14],
    ['too large a file', `${manifest()}\n#${'x'.repeat(512 * 1024)}`, 'manifest read error', 14],
    ['too many lines', `${manifest()}${'\n'.repeat(8192)}`, 'manifest read error', 14],
  ])('with %s fails', (_, text, state, code) => {
    expect(failureOf(text)).toEqual({ state, code });
  });
});

describe('a channel', () => {
  test.each([
    ['seven fields', '/x,/dev/x,3,0,1,1,0', 'invalid channel tokens number', 14],
    ['nine fields', '/x,/dev/x,3,0,1,1,0,0,0', 'invalid channel tokens number', 14],
    ['type 4', '/x,/dev/x,4,0,1,1,0,0', 'invalid channel numeric token', 14],
    ['type -1', '/x,/dev/x,-1,0,1,1,0,0', 'invalid channel numeric token', 14],
    ['etag 2', '/x,/dev/x,3,2,1,1,0,0', 'invalid channel numeric token', 14],
    ['a limit in words', '/x,/dev/x,3,0,all,1,0,0', 'invalid channel numeric token', 14],
    ['a limit beyond 64 bits', '/x,/dev/x,3,0,9223372036854775808,1,0,0', 'invalid channel numeric token', 14],
    ['a wrong octal limit', '/x,/dev/x,3,0,09,1,0,0', 'invalid channel numeric token', 14],
    ['a negative limit', '/x,/dev/x,3,0,1,1,0,-1', 'negative limits for /dev/x', 14],
    ['a relative path', 'x,/dev/x,3,0,1,1,0,0', 'only absolute path channels are allowed', 14],
    ['no path', ',/dev/x,3,0,1,1,0,0', 'invalid channel url', 14],
    ['no alias', '/x,,3,0,1,1,0,0', 'invalid channel name', 14],
    ['an alias that leads out', '/x,/dev/../x,3,0,1,1,0,0', 'invalid channel name', 14],
    ['an alias taken', '/x,/dev/stdin,3,0,1,1,0,0', 'duplicate channel /dev/stdin', 14],
    ['an alias below a channel', '/x,/dev/stdin/x,3,0,1,1,0,0', 'invalid channel name', 14],
    ['limits of zero', '/x,/dev/x,3,0,0,0,0,0', '/dev/x has neither reads nor writes', 22],
    ['calls but no bytes', '/x,/dev/x,3,0,5,0,5,0', '/dev/x has neither reads nor writes', 22],
    ['type 0 both ways', '/x,/dev/x,0,0,1,1,1,1', 'sequential channels cannot have r/w access', 22],
    ['type 2 both ways', '/x,/dev/x,2,0,1,1,1,1', 'sequential read / random write channels not supported', 22],
    ['a network source', 'tcp:2:,/dev/x,0,0,1,1,0,0', 'network channels are not supported', 93],
    ['an opaque source', 'opaque:x,/dev/x,0,0,1,1,0,0', 'network channels are not supported', 93],
    ['two sources', '/x;/y,/dev/x,3,0,1,1,0,0', 'replicated channels are not supported', 93],
  ])('with %s fails', (_, text, state, code) => {
    const line = state.startsWith('invalid channel name') && text.includes('stdin/x') ? 5 : 8;
    expect(failureOf(withChannel(text))).toEqual({ state: `MANIFEST ${line}: ${state}`, code });
  });

  test.each([
    ['sequential, read', '0,0,1,1,0,0'],
    ['sequential, written', '0,0,0,0,1,1'],
    ['random, read', '3,0,1,1,0,0'],
    ['random, written', '3,0,0,0,1,1'],
    ['appended to', '1,0,1,1,1,1'],
    ['random, both', '3,0,1,1,1,1'],
  ])('can be %s', (_, rest) => {
    expect(parseManifest(withChannel(`/x,/dev/x,${rest}`)).channels).toHaveLength(4);
  });

  test('is one too many when it is the 10915th', () => {
    const many = Array.from({ length: 10_912 }, (_, index) => `/x,/dev/${index},3,0,1,1,0,0`);
    const text = manifest({}, [stdin, stdout, stderr, ...many]);
    // They do not fit the lines of a manifest, so that limit is met first.
    expect(failureOf(text)).toEqual({ state: 'manifest read error', code: 14 });
  });
});
