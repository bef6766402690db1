import { integer, list, proxyRoles, text } from './kinds';
import { parseDomains, parseOrigins } from './lists';

const readBy = proxyRoles;
const day = 86_400;

/** Settings of the S3 API. */
export const s3Settings = {
  s3Location: text('S3_LOCATION', {
    readBy,
    type: 'region',
    pattern: /^[A-Za-z0-9-]{1,64}$/,
    default: 'us-east-1',
    sentence: 'Region that S3 clients must name.',
  }),
  s3Domains: list('S3_DOMAINS', {
    readBy,
    type: 'domain;…',
    defaultText: '',
    parseAll: parseDomains,
    sentence: 'Domains such as s3.example.org below which bucket.s3.example.org is a bucket of S3.',
  }),
  s3PreflightOrigins: list('S3_PREFLIGHT_ORIGINS', {
    readBy,
    type: 'origin;…',
    defaultText: '',
    parseAll: parseOrigins,
    sentence: 'Web origins (or *) whose scripts may send requests of S3; what they may read the bucket says.',
  }),
  s3ClockSkewS: integer('S3_CLOCK_SKEW_S', {
    readBy,
    min: 1,
    max: day,
    default: 900,
    sentence: 'Seconds by which the time of a signature of S3 may differ from ours.',
  }),
  s3MaxBucketListing: integer('S3_MAX_BUCKET_LISTING', {
    readBy,
    min: 1,
    max: 9999,
    default: 1000,
    sentence: 'Most entries of one S3 listing of a bucket.',
  }),
  s3MaxPartsListing: integer('S3_MAX_PARTS_LISTING', {
    readBy,
    min: 1,
    max: 10_000,
    default: 1000,
    sentence: 'Most entries of one S3 listing of the parts of an upload.',
  }),
  s3MaxUploadParts: integer('S3_MAX_UPLOAD_PARTS', {
    readBy,
    min: 1,
    max: 10_000,
    default: 10_000,
    sentence: 'Highest number of a part of an S3 multipart upload.',
  }),
  s3MinPartBytes: integer('S3_MIN_PART_SIZE', {
    readBy,
    min: 1,
    max: 5_368_709_120,
    default: 5_242_880,
    sentence: 'Smallest part of an S3 multipart upload in bytes, but for the last.',
  }),
  s3MaxMultiDeleteObjects: integer('S3_MAX_MULTI_DELETE_OBJECTS', {
    readBy,
    min: 1,
    max: 10_000,
    default: 1000,
    sentence: 'Most objects that one S3 request may delete.',
  }),
};
