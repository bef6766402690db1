import { checkAcl, getBucketFor } from '../access';
import { decodeAcl, objectAclName } from '../acl';
import { answerXml } from '../answers';
import type { S3Request } from '../request';
import { callSwift, headerText } from '../swift';
import { element, xmlDocument } from '../xml';

/** GET `?tagging`: nothing has tags here. */
export async function getTagging(req: S3Request): Promise<void> {
  if (req.key) {
    const head = await callSwift(req, { method: 'HEAD', object: req.key });
    checkAcl(req, decodeAcl(headerText(head, objectAclName)), 'READ');
  } else {
    await getBucketFor(req, 'READ');
  }
  answerXml(req.ctx, xmlDocument('Tagging', element('TagSet')));
}
