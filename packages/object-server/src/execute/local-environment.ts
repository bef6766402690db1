import type { NodeChannel } from '../storage-node';
import type { ObjectPath } from '../store/object-store';
import type { OpenedSource } from './opened-sources';

/**
 * The variables of a session, and those that tell the guest about its co-located object (ZeroCloud's CGI environment,
 * `LOCAL_*`). A copy that grows is assigned: one that was spread gets a hidden class of its own each time.
 */
export function withLocalEnvironment(
  variables: Record<string, string>,
  channel: NodeChannel,
  opened: OpenedSource | undefined,
): Record<string, string> {
  const env = Object.assign({}, variables);
  const { source } = channel;
  if (source?.kind === 'container') {
    env.LOCAL_OBJECT = 'on';
    env.LOCAL_PATH_INFO = `/${source.path.account}/${source.path.container}`;
    env.LOCAL_DOCUMENT_ROOT = `/dev/${channel.device}`;
    env.LOCAL_CONTENT_TYPE = 'application/octet-stream';
    env.LOCAL_CONTENT_LENGTH = String(opened?.sizeBytes ?? 0);
    return env;
  }
  const path = source?.kind === 'object' ? source.path : (pathOfStaged(source) ?? channel.target?.path);
  if (!path) return env;
  const record = opened?.record;
  env.LOCAL_OBJECT = 'on';
  env.LOCAL_PATH_INFO = `/${path.account}/${path.container}/${path.object}`;
  env.LOCAL_DOCUMENT_ROOT = `/dev/${channel.device}`;
  if (record) {
    env.LOCAL_CONTENT_TYPE = record.contentType;
    env.LOCAL_CONTENT_LENGTH = String(record.sizeBytes);
    env.LOCAL_HTTP_ETAG = record.etag;
    env.LOCAL_HTTP_X_TIMESTAMP = record.timestamp;
    const encoding = record.metadata['content-encoding'];
    if (encoding) env.LOCAL_HTTP_CONTENT_ENCODING = encoding;
    addMetadata(env, record.metadata);
  } else if (channel.target) {
    env.LOCAL_CONTENT_TYPE = channel.target.contentType;
    addMetadata(env, channel.target.metadata);
  }
  return env;
}

/** Of staged bytes that stand for an object. */
export function pathOfStaged(source: NodeChannel['source']): ObjectPath | undefined {
  return source?.kind === 'staged' ? source.standsFor?.path : undefined;
}

function addMetadata(env: Record<string, string>, metadata: Record<string, string>): void {
  for (const name in metadata) {
    // A variable cannot have `=` in its name; NUL cannot be stored.
    if (name.startsWith('x-object-meta-') && !name.includes('=')) {
      env[`LOCAL_HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = metadata[name]!;
    }
  }
}
