import { notImplemented, S3Error } from './errors';
import { getAcl, putAcl } from './operations/acl';
import { createBucket, deleteBucket, getLocation, getLogging, headBucket } from './operations/bucket';
import { copyObject } from './operations/copy-object';
import { deleteObject } from './operations/delete-object';
import { listObjects } from './operations/list-objects';
import { deleteObjects } from './operations/multi-delete';
import { putObject, readObject } from './operations/object';
import { listBuckets } from './operations/service';
import { getTagging } from './operations/subresources';
import { getVersioning, putVersioning } from './operations/versioning';
import type { S3Request } from './request';
import { abortUpload } from './uploads/abort-upload';
import { completeUpload } from './uploads/complete-upload';
import { createUpload } from './uploads/create-upload';
import { listParts } from './uploads/list-parts';
import { listUploads } from './uploads/list-uploads';
import { uploadPart } from './uploads/upload-part';

type Operation = (req: S3Request) => Promise<void>;

interface Resource {
  /** As S3 calls it in `MethodNotAllowed`. */
  name: string;
  /** A refusal stands for what S3 has and we have not. */
  methods: Partial<Record<string, Operation>>;
}

const refuse: Operation = () => Promise.reject(notImplemented('The requested resource is not implemented'));
const refusePlainly: Operation = () => Promise.reject(notImplemented());
const unsupported: Resource = {
  name: 'UNSUPPORTED',
  methods: { GET: refuse, HEAD: refuse, PUT: refuse, POST: refuse, DELETE: refuse },
};

/** Of objects only. */
function ofKey(operation: Operation): Operation {
  return (req) => {
    if (req.key) return operation(req);
    return Promise.reject(new S3Error('InvalidRequest', 'A key must be specified'));
  };
}

/** What parameters make of a bucket or an object. The first of them that is there decides. */
const subresources: [parameter: string, Resource][] = [
  ['acl', { name: 'S3_ACL', methods: { GET: getAcl, PUT: putAcl } }],
  ['delete', { name: 'MULTI_OBJECT_DELETE', methods: { POST: deleteObjects } }],
  ['location', { name: 'LOCATION', methods: { GET: getLocation } }],
  ['logging', { name: 'LOGGING_STATUS', methods: { GET: getLogging, PUT: refusePlainly } }],
  ['partNumber', { name: 'PART', methods: { PUT: ofKey(uploadPart) } }],
  [
    'uploadId',
    {
      name: 'UPLOAD',
      methods: { GET: ofKey(listParts), DELETE: ofKey(abortUpload), POST: ofKey(completeUpload) },
    },
  ],
  ['uploads', { name: 'UPLOADS', methods: { GET: listUploads, POST: ofKey(createUpload) } }],
  ['versioning', { name: 'VERSIONING', methods: { GET: getVersioning, PUT: putVersioning } }],
  ['tagging', { name: 'TAGGING', methods: { GET: getTagging, PUT: refuse, DELETE: refuse } }],
  ...[
    'accelerate',
    'analytics',
    'attributes',
    'cors',
    'encryption',
    'intelligent-tiering',
    'inventory',
    'legal-hold',
    'lifecycle',
    'metadataConfiguration',
    'metadataTable',
    'metrics',
    'notification',
    'object-lock',
    'ownershipControls',
    'policy',
    'policyStatus',
    'publicAccessBlock',
    'renameObject',
    'replication',
    'requestPayment',
    'restore',
    'retention',
    'select',
    'session',
    'torrent',
    'website',
  ].map((name) => [name, unsupported] satisfies [string, Resource]),
];

const service: Resource = { name: 'SERVICE', methods: { GET: listBuckets } };
const bucket: Resource = {
  name: 'BUCKET',
  methods: { GET: listObjects, HEAD: headBucket, PUT: createBucket, DELETE: deleteBucket, POST: refusePlainly },
};
const object: Resource = {
  name: 'OBJECT',
  methods: {
    GET: readObject,
    HEAD: readObject,
    PUT: (req) => (req.header('x-amz-copy-source') === undefined ? putObject(req) : copyObject(req)),
    DELETE: deleteObject,
    POST: refusePlainly,
  },
};

/** What a request asks for. `MethodNotAllowed`, `NotImplemented`. */
export function getOperation(req: S3Request): Operation {
  const resource = findResource(req);
  const operation = resource.methods[req.method];
  if (operation) return operation;
  throw new S3Error('MethodNotAllowed', undefined, { Method: req.method, ResourceType: resource.name });
}

function findResource({ bucket: name, key, params }: S3Request): Resource {
  if (!name) return service;
  if (params.size > 0) {
    const found = subresources.find(([parameter]) => params.has(parameter));
    if (found) return found[1];
  }
  return key ? object : bucket;
}
