import { z } from 'zod';
import type { NodeChannel, NodeGroup, NodeProgram, NodeSession, NodeSource } from '../storage-node';
import type { Metadata, MetadataUpdate, ObjectListQuery, VersionListQuery } from '../store/object-store';

/**
 * What an object server accepts from a proxy. Unknown keys are refused, so that two versions that do not fit are
 * noticed at the first request and nothing is dropped in silence.
 */

/** Not `z.record`, which loses a name such as `__proto__`. */
const metadata = z.custom<Metadata>(
  (value) => isMapOf(value, (text) => typeof text === 'string'),
  'not a map of texts',
);
const timestamp = z.string().regex(/^\d{1,11}\.\d{5}$/);
const count = z.number().int().nonnegative();

const containerPath = z.strictObject({ account: z.string(), container: z.string() });
const objectPath = z.strictObject({
  account: z.string(),
  container: z.string(),
  object: z.string(),
  versionId: z.string().optional(),
});

/** JSON knows no `undefined`, so a removal travels as null. */
export const metadataUpdate = z.strictObject({
  timestamp,
  metadata: z
    .custom<Record<string, string | null>>(
      (value) => isMapOf(value, (text) => typeof text === 'string' || text === null),
      'not a map of texts and nulls',
    )
    .transform(
      (pairs): MetadataUpdate =>
        Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name, value ?? undefined])),
    ),
  limits: z.strictObject({ maxMetaCount: count, maxMetaOverallSize: count }).optional(),
});

/** In settings null has a meaning of its own, and what is absent is not there. */
export const containerUpdate = metadataUpdate.extend({
  settings: z
    .strictObject({
      versioning: z.enum(['enabled', 'suspended']).optional(),
      archive: z
        .strictObject({ container: z.string(), mode: z.enum(['stack', 'history']) })
        .nullable()
        .optional(),
      policy: z.enum(['relaxed']).nullable().optional(),
    })
    .optional(),
});

export const listQuery = z.strictObject({
  limit: count,
  marker: z.string().optional(),
  endMarker: z.string().optional(),
  prefix: z.string().optional(),
  delimiter: z.string().optional(),
  reverse: z.boolean().optional(),
  path: z.string().optional(),
}) satisfies z.ZodType<ObjectListQuery>;

export const versionListQuery = listQuery.omit({ path: true }).extend({
  versionMarker: z.string().optional(),
}) satisfies z.ZodType<VersionListQuery>;

const requires = z
  .strictObject({
    container: z.string(),
    object: z.string(),
    metadata,
    becomes: z.union([z.literal('deleted'), metadata]),
  })
  .optional();

export const putOptions = z.strictObject({
  timestamp,
  contentType: z.string(),
  metadata,
  deleteAt: count.optional(),
  contentLength: count.optional(),
  maxBytes: count,
  etag: z.string().optional(),
  ifAbsent: z.boolean().optional(),
  requires,
});

export const updateOptions = z.strictObject({
  timestamp,
  metadata,
  contentType: z.string().optional(),
  deleteAt: count.optional(),
  systemMetadata: metadata.optional(),
  bodyId: z.string().optional(),
});

export const restoreRequest = z.strictObject({
  path: objectPath,
  options: z.strictObject({ timestamp, ifAbsent: z.boolean().optional() }),
});

export const deleteOptions = z.strictObject({ timestamp });

export const stageOptions = z.strictObject({ maxBytes: count, inflate: z.boolean().optional() });

export const copyRequest = z.strictObject({
  source: objectPath,
  target: objectPath,
  options: z.strictObject({
    timestamp,
    sourceBodyId: z.string(),
    contentType: z.string(),
    metadata,
    deleteAt: count.optional(),
    ifAbsent: z.boolean().optional(),
    requires,
  }),
});

export const appendRequest = z.strictObject({
  path: objectPath,
  data: z.base64().transform((text) => Buffer.from(text, 'base64')),
  options: z.strictObject({ timestamp, contentType: z.string() }),
});

export const validationRequest = z.strictObject({
  path: objectPath,
  options: z.strictObject({
    bodyId: z.string(),
    timeoutMs: z.number().positive(),
    memoryBytes: count,
    maxProgramBytes: count,
  }),
});

export const leaseIds = z.array(z.string());

const manifest = z.strictObject({
  path: objectPath,
  record: z.strictObject({
    timestamp,
    bodyId: z.string(),
    sizeBytes: count,
    etag: z.string(),
    contentType: z.string(),
    metadata,
    deleteAt: count.optional(),
    versionId: z.string().optional(),
  }),
});

const source: z.ZodType<NodeSource> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('object'), path: objectPath }),
  z.strictObject({ kind: z.literal('container'), path: containerPath, form: z.enum(['sqlite', 'json']) }),
  z.strictObject({ kind: z.literal('staged'), id: z.string(), standsFor: manifest.optional() }),
  z.strictObject({ kind: z.literal('bytes'), data: z.base64().transform((text) => Buffer.from(text, 'base64')) }),
]);

const program: z.ZodType<NodeProgram> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('source'), source }),
  z.strictObject({ kind: z.literal('image'), path: z.string() }),
  z.strictObject({ kind: z.literal('system-image'), image: z.string(), path: z.string() }),
]);

const channel: z.ZodType<NodeChannel> = z.strictObject({
  device: z.string(),
  type: z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]),
  limits: z.strictObject({ reads: count, readBytes: count, writes: count, writeBytes: count }),
  fileType: z.enum(['file', 'char', 'pipe', 'block']),
  etag: z.boolean(),
  source: source.optional(),
  mounted: z.boolean().optional(),
  target: z.strictObject({ path: objectPath, contentType: z.string(), metadata }).optional(),
  minSizeBytes: count.optional(),
  discard: z.boolean().optional(),
  spill: z.boolean().optional(),
  message: z
    .strictObject({
      form: z.enum(['http', 'cgi']),
      defaultContentType: z.string(),
      maxMetaCount: count,
      maxMetaNameLength: count,
      maxMetaValueLength: count,
      maxMetaOverallSize: count,
    })
    .optional(),
});

export const nodeSession: z.ZodType<NodeSession> = z.strictObject({
  account: z.string(),
  transactionId: z.string(),
  name: z.string(),
  program,
  args: z.array(z.string()),
  env: metadata,
  channels: z.array(channel),
  systemImages: z.array(z.string()),
  localDevice: z.string().optional(),
  timeoutMs: z.number().positive(),
  memoryBytes: count,
  timestamp,
  maxProgramBytes: count,
  maxInputBytes: count,
  prevalidated: z.boolean().optional(),
  daemon: z.array(z.string()).optional(),
});

const pipeEnd = z.strictObject({ session: count, device: z.string() });

export const nodeGroup: z.ZodType<NodeGroup> = z.strictObject({
  sessions: z.array(nodeSession).min(1),
  pipes: z.array(z.strictObject({ from: pipeEnd, to: pipeEnd })),
});

function isMapOf(value: unknown, isValue: (value: unknown) => boolean): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isValue);
}
