const dottedNumbers = /^(?:(?:\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])\.){3}(?:\d|[1-9]\d|1\d{2}|2[0-4]\d|25[0-5])$/;

/** S3's rule for names of buckets; containers with other names cannot be reached through S3. */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][-.a-z0-9]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !name.includes('.-') &&
    !name.includes('-.') &&
    !dottedNumbers.test(name)
  );
}

/** The container that holds the parts of a bucket's multipart uploads. */
export function segmentsOf(bucket: string): string {
  return `${bucket}+segments`;
}
