import { bucketAcl, isAccountOwner } from '../access';
import { isAllowed } from '../acl';
import { answerXml } from '../answers';
import { isBucketName } from '../bucket-name';
import { decodeToken, encodeToken } from '../continuation-token';
import { invalidArgument } from '../errors';
import { readCount, type S3Request } from '../request';
import { element, textElement, userElement, xmlDocument } from '../xml';

/** Looks at so many buckets at once: which are whose is not part of the account's listing. */
const concurrency = 16;
const maxBuckets = 10_000;

interface Found {
  name: string;
  row: string;
}

/** GET Service: the caller's own buckets. Those without an access control list are shown to the account's owners. */
export async function listBuckets(req: S3Request): Promise<void> {
  const { params } = req;
  const limit = readCount(params, 'max-buckets', maxBuckets, maxBuckets);
  if (limit === 0) throw invalidArgument('max-buckets', params.get('max-buckets')!);
  const region = params.get('bucket-region');
  const isElsewhere = region !== undefined && region !== req.api.config.location;
  // One more tells whether there is a next page.
  const found = isElsewhere ? [] : await findBuckets(req, limit + 1);
  const shown = found.slice(0, limit);
  const next = found.length > limit ? [textElement('ContinuationToken', encodeToken(shown.at(-1)!.name))] : [];
  const prefix = params.has('prefix') ? [textElement('Prefix', params.get('prefix'))] : [];
  const buckets = element('Buckets', ...shown.map(({ row }) => row));
  answerXml(
    req.ctx,
    xmlDocument('ListAllMyBucketsResult', userElement('Owner', req.user), buckets, ...next, ...prefix),
  );
}

async function findBuckets(req: S3Request, count: number): Promise<Found[]> {
  const { node, config } = req.api.deps;
  const limit = config.limits.accountListingLimit;
  const prefix = req.params.get('prefix');
  const token = req.params.get('continuation-token');
  let marker = token && decodeToken(token);
  const found: Found[] = [];
  for (;;) {
    const entries = await node.listContainers(req.account, { limit, prefix, marker });
    const names = entries.flatMap((entry) => ('name' in entry && isBucketName(entry.name) ? [entry.name] : []));
    for (let i = 0; i < names.length; i += concurrency) {
      const looks = await Promise.all(names.slice(i, i + concurrency).map((name) => findBucket(req, name)));
      for (const bucket of looks) if (bucket) found.push(bucket);
      if (found.length >= count) return found;
    }
    const last = entries.at(-1);
    if (entries.length < limit || !last || !('name' in last)) return found;
    marker = last.name;
  }
}

async function findBucket(req: S3Request, name: string): Promise<Found | undefined> {
  const record = await req.api.deps.node.findContainer({ account: req.account, container: name });
  const acl = record && bucketAcl(record);
  if (!record || !(acl ? isAllowed(acl, req.user, 'OWNER') : isAccountOwner(req))) return undefined;
  const row = element('Bucket', textElement('Name', name), textElement('CreationDate', s3Time(record.createdAt)));
  return { name, row };
}

/** A Swift timestamp as S3's XML has times: whole seconds, rounded up. */
function s3Time(timestamp: string): string {
  return `${new Date(Math.ceil(Number(timestamp)) * 1000).toISOString().slice(0, 19)}.000Z`;
}
