import type { SettingValues } from '@zerocloud/object-server/settings';

/** Bounds and names of the S3 API, as Swift's s3api has them. */
export interface S3Config {
  /** The region that signatures must name. */
  location: string;
  /** Lower case, without a dot in front. */
  domains: string[];
  preflightOrigins: string[];
  clockSkewS: number;
  maxBucketListing: number;
  maxPartsListing: number;
  /** Highest number of a part. */
  maxUploadParts: number;
  minPartBytes: number;
  maxMultiDeleteObjects: number;
}

export function s3Config(values: SettingValues): S3Config {
  return {
    location: values.s3Location,
    domains: values.s3Domains,
    preflightOrigins: values.s3PreflightOrigins,
    clockSkewS: values.s3ClockSkewS,
    maxBucketListing: values.s3MaxBucketListing,
    maxPartsListing: values.s3MaxPartsListing,
    maxUploadParts: values.s3MaxUploadParts,
    minPartBytes: values.s3MinPartBytes,
    maxMultiDeleteObjects: values.s3MaxMultiDeleteObjects,
  };
}
