/** System metadata with the entity tag that S3's clients know a multipart object by, `<md5 of md5s>-<number of parts>`. */
export const s3EtagName = 'x-object-sysmeta-s3api-etag';

/** The entity tag without quotes. One of a large object that Swift made looks like S3's: `-N` tells clients that it is no md5. */
export function s3Etag(headers: Record<string, string>): string | undefined {
  const own = headers[s3EtagName];
  if (own) return own;
  const etag = headers.etag?.replace(/^"|"$/g, '');
  return etag !== undefined && headers['x-static-large-object']?.toLowerCase() === 'true' ? `${etag}-N` : etag;
}
