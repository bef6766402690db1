import { nodeSession } from '../jobs/session';
import type { LocalFiles } from './local-files';
import type { LocalJob } from './plan';

/** A node as `--dry-run` shows it. */
export interface NodeDescription {
  id: number;
  name: string;
  exe: string;
  args: string[];
  env: Record<string, string>;
  channels: {
    device: string;
    access: 'read' | 'write';
    mode: string;
    path: string | null;
    /** The file that the path means here. */
    file?: string;
    content_type?: string;
    meta?: Record<string, string>;
    min_size?: number;
  }[];
  connect?: string[];
}

/** The nodes that a job expands to, wildcards and files resolved. */
export function describeNodes({ nodes, job }: LocalJob, files: LocalFiles): NodeDescription[] {
  return nodes.map((node, index) => {
    const { name, group, objects } = node;
    const { args, env } = nodeSession(node, job, undefined);
    return {
      id: index + 1,
      name,
      exe: group.program.url,
      args,
      env,
      channels: group.devices.map(({ name: device, kind, url, fileType, contentType, meta, minSizeBytes }, at) => {
        const object = objects[at];
        const isOutput = kind?.access === 'write';
        return {
          device,
          access: isOutput ? ('write' as const) : ('read' as const),
          mode: fileType,
          path: object ? `swift://${object.account}/${object.container}/${object.object}` : (url?.url ?? null),
          ...(object && { file: files.findFile(object) }),
          ...(isOutput && contentType !== undefined && { content_type: contentType }),
          ...(isOutput && Object.keys(meta).length > 0 && { meta }),
          ...(isOutput && minSizeBytes > 0 && { min_size: minSizeBytes }),
        };
      }),
      ...(group.connect && { connect: group.connect }),
    };
  });
}
