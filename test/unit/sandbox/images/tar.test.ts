import { BytesAccess, type RandomAccess } from '@zerocloud/sandbox/channels/random-access';
import { findTarMember, readTarIndex, type TarEntry } from '@zerocloud/sandbox/images/tar';
import fc from 'fast-check';
import { packTar } from '../../../support/tar';
import { endOfArchive, type HeaderFields, member, paxRecords, tarHeader } from '../../../support/tar-blocks';

function index(...parts: Uint8Array[]): TarEntry[] {
  return readTarIndex(new BytesAccess(Buffer.concat(parts)));
}

function summary(entries: TarEntry[]): string[] {
  return entries.map(({ kind, path, linkTarget }) => `${kind} ${path}${linkTarget && ` -> ${linkTarget}`}`);
}

function contentOf(archive: Uint8Array, { offset, sizeBytes }: { offset: number; sizeBytes: number }): string {
  return Buffer.from(archive).toString('utf8', offset, offset + sizeBytes);
}

const refusal = (code: string, sentence: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(sentence) });

describe('the index of a tar archive', () => {
  test('has files, directories and links with their attributes', async () => {
    const archive = await packTar([
      [{ name: 'bin/', type: 'directory', mode: 0o755, mtime: new Date(1_700_000_000_000) }],
      [{ name: 'bin/run', mode: 0o711, mtime: new Date(1_700_000_000_000) }, 'program'],
      [{ name: 'bin/alias', type: 'symlink', linkname: '../bin/run' }],
      [{ name: 'bin/same', type: 'link', linkname: 'bin/run' }],
    ]);
    const entries = readTarIndex(new BytesAccess(archive));
    expect(summary(entries)).toEqual([
      'directory bin',
      'file bin/run',
      'symlink bin/alias -> ../bin/run',
      'hardlink bin/same -> bin/run',
    ]);
    expect(entries[1]).toMatchObject({ mode: 0o711, sizeBytes: 7, modifiedNs: 1_700_000_000_000_000_000n });
    expect(contentOf(archive, entries[1]!)).toBe('program');
  });

  test('has long and non-ASCII names from pax headers', async () => {
    const name = `${'däta/'.repeat(40)}file`;
    const archive = await packTar([[{ name }, 'x']]);
    expect(summary(readTarIndex(new BytesAccess(archive)))).toEqual([`file ${name}`]);
  });

  const headers: [string, Uint8Array[], string[]][] = [
    ['drops leading ./ and /', [member({ name: './a' }), member({ name: '/b//c' })], ['file a', 'file b/c']],
    ['takes the prefix of a ustar name', [member({ name: 'c', prefix: 'a/b' })], ['file a/b/c']],
    ['ignores the prefix field of a GNU header', [member({ name: 'c', prefix: 'a', magic: 'ustar  ' })], ['file c']],
    ['reads v7 headers', [member({ name: 'old', magic: '' })], ['file old']],
    [
      'takes a v7 name with a slash as a directory',
      [member({ name: 'old/', magic: '', type: '\0' })],
      ['directory old'],
    ],
    [
      'takes GNU long names and links',
      [
        member({ name: '././@LongLink', type: 'L' }, `${'n'.repeat(300)}\0`),
        member({ name: '././@LongLink', type: 'K' }, `${'t'.repeat(300)}\0`),
        member({ name: 'n', type: '2' }),
        member({ name: 'next' }),
      ],
      [`symlink ${'n'.repeat(300)} -> ${'t'.repeat(300)}`, 'file next'],
    ],
    [
      'ignores global pax headers',
      [member({ name: 'g', type: 'g' }, paxRecords({ path: 'wrong', comment: 'x' })), member({ name: 'right' })],
      ['file right'],
    ],
    [
      'leaves out dev',
      [member({ name: './dev/null' }), member({ name: 'dev', type: '5' }), member({ name: 'development' })],
      ['file development'],
    ],
    [
      'leaves out devices and FIFOs',
      [member({ name: 'c', type: '3' }), member({ name: 'b', type: '4' }), member({ name: 'p', type: '6' })],
      [],
    ],
    [
      'reads base-256 numbers',
      [member({ name: 'big', base256: true }, 'content'), member({ name: 'next' })],
      ['file big', 'file next'],
    ],
    ['stops at the zero block', [member({ name: 'a' }), new Uint8Array(512), member({ name: 'b' })], ['file a']],
    ['does not need a zero block', [member({ name: 'a' })], ['file a']],
    [
      'takes a size on a hard link for no content',
      [member({ name: 'a' }), tarHeader({ name: 'b', type: '1', linkName: 'a', sizeBytes: 999 })],
      ['file a', 'hardlink b -> a'],
    ],
  ];

  test.each(headers)('%s', (_title, parts, expected) => {
    expect(summary(index(...parts))).toEqual(expected);
  });

  test('takes size and time from pax headers', () => {
    const archive = Buffer.concat([
      member({ name: 'x', type: 'x' }, paxRecords({ size: '5', mtime: '1700000000.123456789' })),
      tarHeader({ name: 'a', sizeBytes: 0 }),
      Buffer.from('hello'.padEnd(512, '\0')),
      member({ name: 'b' }, 'next'),
    ]);
    const entries = readTarIndex(new BytesAccess(archive));
    expect(entries.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ['a', 5],
      ['b', 4],
    ]);
    expect(entries[0]!.modifiedNs).toBe(1_700_000_000_123_456_789n);
  });

  const broken: [string, Uint8Array, RegExp][] = [
    ['an empty file', new Uint8Array(0), /empty/],
    ['something else', Buffer.from('#!/bin/sh\n'.repeat(100)), /not a tar archive/],
    ['a header cut short', member({ name: 'a' }).subarray(0, 300), /truncated/],
    ['a content cut short', member({ name: 'a' }, 'x'.repeat(2000)).subarray(0, 1500), /truncated/],
    ['a wrong checksum', flip(member({ name: 'a' }), 3), /not a tar archive, or a damaged one/],
    ['an absurd size', member({ name: 'a', sizeBytes: 8 ** 11 - 1 }), /truncated/],
    ['a size beyond all numbers', tarHeader({ name: 'a', base256: true, sizeBytes: 2 ** 80 }), /too large/],
    ['a negative size', tarHeader({ name: 'a', negativeSize: true }), /truncated/],
    ['a name that leads outside', member({ name: 'a/../../b' }), /leads outside/],
    ['a hard link that leads outside', member({ name: 'a', type: '1', linkName: '../b' }), /leads outside/],
    ['a pax name that leads outside', pax({ path: '..' }), /leads outside/],
    ['a pax name with NUL', pax({ path: 'a\0b' }), /NUL/],
    ['a name longer than any path', pax({ path: 'a/'.repeat(3000) }), /too long/],
    ['a link longer than any path', pax({ linkpath: 'a/'.repeat(3000) }), /too long/],
    ['a pax record with a wrong length', member({ name: 'x', type: 'x' }, '99 path=a\n'), /malformed pax/],
    ['a pax record without a length', member({ name: 'x', type: 'x' }, 'path=a\n'), /malformed pax/],
    ['a pax size that is no number', pax({ size: '-1' }), /malformed pax/],
    [
      'a pax header of 2 MiB',
      member({ name: 'x', type: 'x' }, 'x'.repeat(2 * 1024 * 1024)),
      /extended header .* too large/,
    ],
    ['a sparse member', member({ name: 'a', type: 'S' }), /sparse/],
    ['a pax sparse member', pax({ 'GNU.sparse.major': '1' }), /sparse/],
    ['a file without a name', member({ name: './', type: '2' }), /no name/],
  ];

  test.each(broken)('refuses %s', (_title, archive, sentence) => {
    expect(() => readTarIndex(new BytesAccess(archive))).toThrow(refusal('bad-image', sentence));
  });

  test('refuses an archive of too many members', () => {
    expect(() => readTarIndex(repeated(member({ name: 'a' }), 100_001))).toThrow(refusal('image-too-large', /members/));
  });

  test('refuses an archive of nothing but extended headers', () => {
    const block = member({ name: 'L', type: 'L' });
    expect(() => readTarIndex(repeated(block, 400_000))).toThrow(refusal('image-too-large', /headers/));
  });

  test('refuses names that take more memory than an index may', () => {
    const name = 'n'.repeat(4000);
    const block = Buffer.concat([member({ name: 'L', type: 'L' }, name), member({ name: 'n' })]);
    expect(() => readTarIndex(repeated(block, 5000))).toThrow(refusal('image-too-large', /names/));
  });

  test('answers any damaged archive with an index or a refusal', async () => {
    const archive = await packTar([
      [{ name: 'a/', type: 'directory' }],
      [{ name: `${'long/'.repeat(50)}b` }, 'content'],
      [{ name: 'c', type: 'symlink', linkname: 'a' }],
    ]);
    const damage = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(archive.length), (changes, length) => {
        const damaged = Buffer.from(archive.subarray(0, length));
        for (const [at, value] of changes) if (at < length) damaged[at] = value;
        try {
          for (const { path, offset, sizeBytes } of readTarIndex(new BytesAccess(damaged))) {
            expect(path.split('/')).not.toContain('..');
            expect(offset + sizeBytes).toBeLessThanOrEqual(length);
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'SandboxError' });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('finding a member', () => {
  const archive = Buffer.concat([
    member({ name: './bin/run' }, 'first'),
    member({ name: 'bin/run' }, 'second'),
    member({ name: 'bin/link', type: '1', linkName: './bin/run' }),
    member({ name: 'bin/soft', type: '2', linkName: 'run' }),
    member({ name: 'dir', type: '5' }),
    endOfArchive,
  ]);
  const find = (name: string): string | undefined => {
    const found = findTarMember(new BytesAccess(archive), name);
    return found && contentOf(archive, found);
  };

  test.each([
    ['bin/run', 'second'],
    ['/bin/run', 'second'],
    ['./bin/run', 'second'],
    ['bin/link', 'second'],
    ['bin/soft', undefined],
    ['bin', undefined],
    ['dir', undefined],
    ['run', undefined],
    ['../bin/run', undefined],
    ['', undefined],
  ])('%s gives %s', (name, expected) => {
    expect(find(name)).toBe(expected);
  });
});

function pax(records: Record<string, string>): Buffer {
  return Buffer.concat([
    member({ name: 'x', type: 'x' }, paxRecords(records)),
    member({ name: 'a', type: '2' } as HeaderFields),
  ]);
}

function flip(block: Buffer, at: number): Buffer {
  block[at] = (block[at] ?? 0) ^ 1;
  return block;
}

/** The same blocks over and over, without the memory. */
function repeated(block: Uint8Array, times: number): RandomAccess {
  return {
    sizeBytes: block.byteLength * times,
    readAt(target, offset, length, position) {
      const count = Math.max(0, Math.min(length, block.byteLength * times - position));
      for (let done = 0; done < count; ) {
        const start = (position + done) % block.byteLength;
        const piece = block.subarray(start, start + count - done);
        target.set(piece, offset + done);
        done += piece.byteLength;
      }
      return count;
    },
  };
}
