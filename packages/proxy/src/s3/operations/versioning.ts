import { respondEmpty } from '../../http/respond';
import { getBucketFor } from '../access';
import { answerXml } from '../answers';
import { notImplemented, S3Error } from '../errors';
import type { S3Request } from '../request';
import { allowOnly, findText, parseXml, textElement, xmlDocument } from '../xml';

const maxBodyBytes = 10_240;

/** GET Bucket `?versioning`. */
export async function getVersioning(req: S3Request): Promise<void> {
  const { versioning } = await getBucketFor(req, 'READ');
  const status = versioning === 'enabled' ? 'Enabled' : 'Suspended';
  answerXml(req.ctx, xmlDocument('VersioningConfiguration', ...(versioning ? [textElement('Status', status)] : [])));
}

/** PUT Bucket `?versioning`. What it decides about is the owner's: who may write could otherwise make history vanish. */
export async function putVersioning(req: S3Request): Promise<void> {
  const bucket = await getBucketFor(req, 'OWNER');
  const body = await req.payload.read(maxBodyBytes, new S3Error('MalformedXML'));
  const root = parseXml(body, 'VersioningConfiguration');
  allowOnly(root, ['Status', 'MfaDelete']);
  const mfa = findText(root, 'MfaDelete');
  if (mfa === 'Enabled') throw notImplemented('MFA Delete is not supported.');
  const status = findText(root, 'Status');
  if ((status !== 'Enabled' && status !== 'Suspended') || (mfa !== undefined && mfa !== 'Disabled')) {
    throw new S3Error('MalformedXML');
  }
  if (bucket.archive) {
    throw new S3Error('InvalidRequest', 'The bucket keeps versions in the older way of Swift already.');
  }
  await req.api.deps.node.updateContainer(
    { account: req.account, container: req.bucket },
    {
      timestamp: req.ctx.state.timestamp,
      metadata: {},
      settings: { versioning: status === 'Enabled' ? 'enabled' : 'suspended' },
    },
  );
  respondEmpty(req.ctx, 200);
}
