import { bucketAcl, isAccountOwner } from '../access';
import { isAllowed } from '../acl';
import { answerXml } from '../answers';
import { isBucketName } from '../bucket-name';
import type { S3Request } from '../request';
import { element, textElement, userElement, xmlDocument } from '../xml';

/** Looks at so many buckets at once: which are whose is not part of the account's listing. */
const concurrency = 16;

/** GET Service: the caller's own buckets. Those without an access control list are shown to the account's owners. */
export async function listBuckets(req: S3Request): Promise<void> {
  const { node, config } = req.api.deps;
  const limit = config.limits.accountListingLimit;
  const entries = await node.listContainers(req.account, { limit });
  const names = entries.flatMap((entry) => ('name' in entry && isBucketName(entry.name) ? [entry.name] : []));
  const buckets: string[] = [];
  for (let i = 0; i < names.length; i += concurrency) {
    const page = names.slice(i, i + concurrency).map((name) => describe(req, name));
    for (const bucket of await Promise.all(page)) if (bucket) buckets.push(bucket);
  }
  answerXml(
    req.ctx,
    xmlDocument('ListAllMyBucketsResult', userElement('Owner', req.user), element('Buckets', ...buckets)),
  );
}

async function describe(req: S3Request, name: string): Promise<string | undefined> {
  const record = await req.api.deps.node.findContainer({ account: req.account, container: name });
  const acl = record && bucketAcl(record);
  if (!record || !(acl ? isAllowed(acl, req.user, 'OWNER') : isAccountOwner(req))) return undefined;
  return element('Bucket', textElement('Name', name), textElement('CreationDate', s3Time(record.createdAt)));
}

/** A Swift timestamp as S3's XML has times: whole seconds, rounded up. */
export function s3Time(timestamp: string): string {
  return `${new Date(Math.ceil(Number(timestamp)) * 1000).toISOString().slice(0, 19)}.000Z`;
}
