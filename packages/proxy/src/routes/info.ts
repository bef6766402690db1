import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { respondEmpty } from '../http/respond';
import { policies } from '../policies/policies';
import { s3Info } from '../s3/info';
import { webInfo } from '../static-web/info';
import { signedUrlInfo } from '../temp-url/info';

/** `/info`: what this server can do. A key stands here only when the feature works. */
export function infoRoute({ node, config }: Deps): (ctx: SwiftContext) => Promise<void> {
  const { limits, jobs } = config;
  const swift = {
    version: '2.30.1',
    account_autocreate: true,
    account_listing_limit: limits.accountListingLimit,
    allow_account_management: true,
    container_listing_limit: limits.containerListingLimit,
    extra_header_count: 0,
    max_account_name_length: limits.maxAccountNameLength,
    max_container_name_length: limits.maxContainerNameLength,
    max_file_size: limits.maxFileSize,
    max_header_size: limits.maxHeaderSize,
    max_meta_count: limits.maxMetaCount,
    max_meta_name_length: limits.maxMetaNameLength,
    max_meta_overall_size: limits.maxMetaOverallSize,
    max_meta_value_length: limits.maxMetaValueLength,
    max_object_name_length: limits.maxObjectNameLength,
    policies,
    strict_cors_mode: true,
  };
  return async (ctx) => {
    if (ctx.method === 'OPTIONS') {
      respondEmpty(ctx, 200, { Allow: allowed });
      return;
    }
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD')
      throw new HttpError(405, undefined, { headers: { Allow: allowed } });
    const { systemImages, maxSessions, jail } = await node.describe();
    const queues = {
      max_message_size: config.queues.maxMessageBytes,
      max_message_ttl: config.queues.maxMessageTtlS,
      max_message_listing_limit: config.queues.maxMessageListing,
      max_claim_limit: config.queues.maxClaimCount,
      max_claim_ttl: config.queues.maxClaimTtlS,
    };
    const zerocloud = {
      system_images: systemImages,
      max_sessions: maxSessions,
      jail,
      session_timeout: jobs.sessionTimeoutS,
      session_memory: jobs.sessionMemoryBytes,
      max_config_size: jobs.maxConfigBytes,
      max_iops: jobs.maxIops,
      max_input_size: jobs.maxInputBytes,
      max_output_size: jobs.maxOutputBytes,
      max_program_size: jobs.maxProgramBytes,
      max_nodes: jobs.maxNodes,
      max_connections: jobs.maxConnections,
      max_spill_bytes: jobs.maxSpillBytes,
      chain_timeout: jobs.chainTimeoutS,
      interactive_timeout: jobs.interactiveTimeoutS,
      prevalidate: jobs.prevalidate,
      max_job_watchers: jobs.maxJobWatchers,
      queues,
    };
    ctx.set('Content-Type', 'application/json; charset=UTF-8');
    ctx.body = Buffer.from(
      JSON.stringify({
        swift,
        tempauth: { account_acls: true },
        account_quotas: {},
        container_quotas: {},
        bulk_upload: {
          max_containers_per_extraction: config.bulk.maxContainersPerExtraction,
          max_failed_extractions: config.bulk.maxFailedExtractions,
        },
        bulk_delete: {
          max_deletes_per_request: config.bulk.maxDeletesPerRequest,
          max_failed_deletes: config.bulk.maxFailedDeletes,
        },
        slo: {
          max_manifest_segments: config.largeObjects.maxManifestSegments,
          max_manifest_size: config.largeObjects.maxManifestBytes,
          min_segment_size: 1,
          yield_frequency: config.largeObjects.yieldFrequencyS,
          allow_async_delete: true,
        },
        s3api: s3Info(config),
        versioned_writes: { allowed_flags: ['x-versions-location', 'x-history-location'] },
        object_versioning: {},
        symlink: { symloop_max: limits.symloopMax, static_links: true },
        ...(config.readOnly.accounts.includes('*') && { read_only: {} }),
        ...signedUrlInfo(config),
        ...webInfo(config),
        zerocloud,
      }),
    );
  };
}

const allowed = 'GET, HEAD, OPTIONS';
