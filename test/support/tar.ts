import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

type Header = Parameters<ReturnType<typeof pack>['entry']>[0];
type Content = string | Uint8Array;

/** An archive of these members, whose content is empty by default. */
export async function packTar(members: (readonly [header: Header, content?: Content])[]): Promise<Buffer> {
  const archive = pack();
  for (const [header, content = ''] of members) archive.entry(header, Buffer.from(content));
  archive.finalize();
  return buffer(archive);
}

/** An archive of these files, by name. */
export function tarOf(files: Record<string, Content>): Promise<Buffer> {
  return packTar(Object.entries(files).map(([name, content]) => [{ name }, content]));
}
