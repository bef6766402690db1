import type { ProxyConfig } from '../config';

/** What `/info` says of the S3 API, by the names of Swift's s3api. */
export function s3Info({ s3 }: ProxyConfig) {
  return {
    max_bucket_listing: s3.maxBucketListing,
    max_parts_listing: s3.maxPartsListing,
    max_upload_part_num: s3.maxUploadParts,
    max_multi_delete_objects: s3.maxMultiDeleteObjects,
    allow_multipart_uploads: true,
    min_segment_size: s3.minPartBytes,
    s3_acl: true,
  };
}
