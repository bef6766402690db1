import { BytesAccess } from '@zerocloud/sandbox/channels/random-access';
import { RootFs } from '@zerocloud/sandbox/images/root-fs';
import { readTarIndex } from '@zerocloud/sandbox/images/tar';
import { writeTar } from '@zerocloud/sandbox/images/write-tar';
import { errno } from '@zerocloud/sandbox/wasi/errno';

function bytesOf(root: RootFs, path: string): Buffer {
  const node = root.get(root.root, path, true);
  if (node.kind !== 'directory') throw new Error(`${path} is no directory`);
  return Buffer.concat([...writeTar(root, node)]);
}

function addFile(root: RootFs, path: string, content: string): void {
  const { content: file } = root.createFile(root.resolve(root.root, path, true));
  const bytes = Buffer.from(content);
  file.writeAt(bytes, 0, bytes.length, 0);
}

function text(root: RootFs, path: string): string {
  const node = root.get(root.root, path, true);
  if (node.kind !== 'file') throw new Error(`${path} is no file`);
  const bytes = Buffer.alloc(node.content.sizeBytes);
  node.content.readAt(bytes, 0, bytes.length, 0);
  return bytes.toString();
}

describe('an archive of a directory of the root', () => {
  test('mounts again as it was, long names and links included', () => {
    const long = 'n'.repeat(200);
    const root = new RootFs();
    root.makeMountPoint(`/out/sub/${long}`);
    addFile(root, '/out/a', 'first');
    addFile(root, `/out/sub/${long}/é`, 'x'.repeat(3_000_000));
    addFile(root, '/out/empty', '');
    root.createSymlink(`sub/${long}/é`, root.resolve(root.root, '/out/link', false));
    const archive = bytesOf(root, '/out');
    expect(archive.length % 512).toBe(0);
    expect(readTarIndex(new BytesAccess(archive)).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'file a',
      'file empty',
      'symlink link',
      'directory sub',
      `directory sub/${long}`,
      `file sub/${long}/é`,
    ]);
    const again = new RootFs();
    again.mountTar({ kind: 'bytes', data: archive }, '/in');
    expect([text(again, '/in/a'), text(again, '/in/empty'), text(again, '/in/link').length]).toEqual([
      'first',
      '',
      3_000_000,
    ]);
    expect(bytesOf(again, '/in').equals(archive)).toBe(true);
  });

  test('holds no channels or devices', () => {
    const root = new RootFs();
    expect(readTarIndex(new BytesAccess(bytesOf(root, '/dev')))).toEqual([]);
    expect(() => root.get(root.root, '/out', true)).toThrow(expect.objectContaining({ errno: errno.noent }));
  });

  test('of an empty directory is an empty archive', () => {
    const root = new RootFs();
    root.makeMountPoint('/out');
    expect(bytesOf(root, '/out')).toEqual(Buffer.alloc(1024));
  });
});
