import { integer, proxyRoles, type Setting } from './kinds';

const readBy = proxyRoles;

/** Large objects and bulk requests. */
export const largeObjectSettings = {
  maxManifestSegments: integer('MAX_MANIFEST_SEGMENTS', {
    readBy,
    min: 1,
    max: 10_000,
    default: 1000,
    sentence: 'Most objects of one static large object (max_manifest_segments).',
  }),
  maxManifestBytes: integer('MAX_MANIFEST_SIZE', {
    readBy,
    min: 1,
    max: 64 * 1024 ** 2,
    default: 8 * 1024 ** 2,
    sentence: 'Largest manifest of a static large object in bytes (max_manifest_size).',
  }),
  maxDeletesPerRequest: integer('MAX_DELETES_PER_REQUEST', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 10_000,
    sentence: 'Most names in one bulk delete (max_deletes_per_request).',
  }),
  maxFailedDeletes: integer('MAX_FAILED_DELETES', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 1000,
    sentence: 'Failures after which a bulk delete ends (max_failed_deletes).',
  }),
  maxContainersPerExtraction: integer('MAX_CONTAINERS_PER_EXTRACTION', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 10_000,
    sentence: 'Most containers that one archive makes (max_containers_per_extraction).',
  }),
  maxFailedExtractions: integer('MAX_FAILED_EXTRACTIONS', {
    readBy,
    min: 1,
    max: 1_000_000,
    default: 1000,
    sentence: 'Failures after which the extraction of an archive ends (max_failed_extractions).',
  }),
  yieldFrequencyS: integer('YIELD_FREQUENCY_S', {
    readBy,
    min: 1,
    max: 3600,
    default: 10,
    sentence: 'Seconds between two spaces that keep the answer to a long bulk request alive (yield_frequency).',
  }),
} satisfies Record<string, Setting<unknown>>;
