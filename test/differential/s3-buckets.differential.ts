import { md5Of, reads, s3, s3Differential } from './s3-requests';

s3Differential('s3 buckets', ({ in: at, prefix, prepare, same }) => {
  const other = { accessKey: 'test:tester3', secret: 'testing3' };
  /** Others use the account, too. */
  const ownBuckets = (text: string) =>
    text.replace(/<Bucket>.*?<\/Bucket>/g, (row) => (row.includes(`>${prefix}`) ? row : ''));
  const location = (constraint: string) =>
    `<CreateBucketConfiguration><LocationConstraint>${constraint}</LocationConstraint></CreateBucketConfiguration>`;
  const policy = (owner: string, ...grants: string[]) =>
    `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>${owner}</ID></Owner>` +
    `<AccessControlList>${grants.join('')}</AccessControlList></AccessControlPolicy>`;
  const grant = (type: string, grantee: string, permission: string) =>
    `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="${type}">${grantee}</Grantee>` +
    `<Permission>${permission}</Permission></Grant>`;

  prepare(() => [s3('PUT', at('b')), s3('PUT', at('b/o'), { body: 'content' })]);

  same('creating', [
    s3('PUT', at('new')),
    s3('PUT', at('new')),
    s3('PUT', at('new/')),
    s3('PUT', at('new'), other),
    s3('PUT', at('others'), other),
    s3('GET', at('new')),
    s3('PUT', at('located'), { body: location('us-east-1') }),
    s3('PUT', at('elsewhere'), { body: location('eu-west-1') }),
    s3('PUT', at('elsewhere'), { body: location('') }),
    s3('PUT', at('elsewhere'), { body: '<CreateBucketConfiguration/>' }),
    s3('PUT', at('elsewhere'), { body: '<CreateBucketConfiguration>' }),
    s3('PUT', at('elsewhere'), { body: '<Other/>' }),
    s3('PUT', at('elsewhere'), { body: 'text' }),
    s3('PUT', at('elsewhere'), { body: 'x'.repeat(20_000) }),
  ]);
  same('a storage policy that is not there', [
    s3('PUT', at('elsewhere'), { headers: { 'x-storage-policy': 'unknown' } }),
  ]);
  same('HEAD', [s3('HEAD', at('new')), s3('HEAD', at('b/'))]);
  same('names', [
    ...['ab', 'a'.repeat(70), 'Upper', 'under_score', 'a..b', 'a.-b', 'a-.b', 'end-', 'end.', 'with.dot', 'a%2Bb'].map(
      (name) => s3('PUT', at(name)),
    ),
    ...['/a', '/192.168.0.1', '/1.2.3', '/.ab', '/-ab', '/%20%20%20', '/a%00b'].map((path) => s3('GET', path)),
  ]);
  same('a name that is not ASCII', [s3('PUT', at('%C3%BC'))]);
  same('a path that is not UTF-8', [s3('GET', '/%ff%ff%ff')]);
  same('a path without a bucket', [{ ...s3('GET', '//'), show: ownBuckets }, s3('GET', '//x')]);
  same('looking', [...reads(at('missing')), ...reads(at('b'), other), s3('GET', at('b/'))]);
  same('methods', [
    s3('POST', at('b')),
    s3('POST', at('b/o')),
    s3('POST', '/'),
    s3('PUT', '/'),
    s3('DELETE', '/'),
    s3('HEAD', '/'),
    s3('PATCH', at('b')),
    s3('OPTIONS', at('b')),
    s3('COPY', at('b/o')),
  ]);
  same('deleting', [
    s3('DELETE', at('b')),
    s3('DELETE', at('b'), other),
    s3('DELETE', at('new')),
    s3('DELETE', at('new')),
    s3('DELETE', at('missing')),
  ]);
  same('locations', [
    s3('GET', at('b?location')),
    s3('GET', at('b?location'), other),
    s3('GET', at('missing?location')),
    s3('GET', at('b/o?location')),
    s3('PUT', at('b?location')),
    s3('HEAD', at('b?location')),
  ]);
  same('logging', [
    s3('GET', at('b?logging')),
    s3('GET', at('b/o?logging')),
    s3('GET', at('missing?logging')),
    s3('GET', at('b?logging'), other),
    s3('PUT', at('b?logging')),
    s3('DELETE', at('b?logging')),
  ]);
  same('tagging', [
    s3('GET', at('b?tagging')),
    s3('GET', at('b/o?tagging')),
    s3('PUT', at('b?tagging'), { body: '<Tagging/>' }),
    s3('PUT', at('b/o?tagging'), { body: '<Tagging/>' }),
    s3('DELETE', at('b?tagging')),
    s3('DELETE', at('b/o?tagging')),
    s3('POST', at('b?tagging')),
  ]);
  same('tags of what is not there, and of others', [
    s3('GET', at('b/missing?tagging')),
    s3('GET', at('missing?tagging')),
    s3('GET', at('b?tagging'), other),
  ]);
  same('what there is not, of a bucket', [
    ...['notification', 'policy', 'requestPayment', 'website'].flatMap((name) =>
      ['GET', 'PUT', 'DELETE', 'POST', 'HEAD'].map((method) => s3(method, at(`b?${name}`))),
    ),
    s3('GET', at('missing?policy')),
    s3('GET', at('b?policy'), other),
  ]);
  same('what there is not, of an object', [
    ...['torrent', 'policy'].map((name) => s3('GET', at(`b/o?${name}`))),
    s3('POST', at('b/o?restore')),
    s3('GET', at('b/missing?torrent')),
  ]);
  same('what Swift has never heard of', [
    ...[
      'accelerate',
      'analytics',
      'cors',
      'encryption',
      'inventory',
      'metrics',
      'ownershipControls',
      'policyStatus',
    ].flatMap((name) => ['GET', 'PUT', 'DELETE'].map((method) => s3(method, at(`b?${name}`)))),
    ...['publicAccessBlock', 'replication', 'intelligent-tiering', 'lifecycle', 'object-lock'].map((name) =>
      s3('GET', at(`b?${name}`)),
    ),
    ...['attributes', 'legal-hold', 'retention'].map((name) => s3('GET', at(`b/o?${name}`))),
    s3('POST', at('b/o?select&select-type=2')),
  ]);
  same('the lists of a bucket', [
    ...reads(at('b?acl')),
    s3('GET', at('b?acl'), other),
    s3('GET', at('missing?acl')),
    s3('PUT', at('b?acl')),
    s3('PUT', at('b?acl'), { headers: { 'x-amz-acl': 'public-read' } }),
    s3('GET', at('b?acl')),
    s3('GET', at('b'), other),
    s3('PUT', at('b/x'), { ...other, body: 'x' }),
    s3('PUT', at('b?acl'), { headers: { 'x-amz-acl': 'public-read-write' } }),
    s3('PUT', at('b/x'), { ...other, body: 'x' }),
    s3('GET', at('b/x?acl'), other),
    s3('GET', at('b/x')),
    s3('GET', at('b/o'), other),
    s3('DELETE', at('b/x'), other),
    ...[
      'authenticated-read',
      'bucket-owner-read',
      'bucket-owner-full-control',
      'log-delivery-write',
      'private',
      'none',
    ].flatMap((name) => [s3('PUT', at('b?acl'), { headers: { 'x-amz-acl': name } }), s3('GET', at('b?acl'))]),
    s3('PUT', at('b?acl'), { ...other, headers: { 'x-amz-acl': 'private' } }),
    s3('PUT', at('listed'), { headers: { 'x-amz-acl': 'public-read' } }),
    s3('GET', at('listed?acl')),
    s3('PUT', at('listed2'), { headers: { 'x-amz-acl': 'none' } }),
    s3('DELETE', at('b?acl')),
    s3('POST', at('b?acl')),
  ]);
  same('the lists of an object', [
    s3('GET', at('b/o?acl')),
    s3('GET', at('b/o?acl'), other),
    s3('GET', at('b/missing?acl')),
    s3('PUT', at('b/missing?acl'), { headers: { 'x-amz-acl': 'public-read' } }),
    s3('PUT', at('b/o?acl'), { headers: { 'x-amz-acl': 'public-read' } }),
    s3('GET', at('b/o?acl')),
    s3('GET', at('b/o'), other),
    s3('PUT', at('b/listed'), { headers: { 'x-amz-acl': 'authenticated-read' }, body: 'x' }),
    s3('GET', at('b/listed?acl')),
    s3('GET', at('b/listed'), other),
    s3('PUT', at('b/listed'), { headers: { 'x-amz-grant-read': 'id="test:tester3"' }, body: 'x' }),
    s3('GET', at('b/listed?acl')),
    s3('GET', at('b/listed'), other),
  ]);
  same('grants in headers', [
    ...(
      [
        { 'x-amz-grant-read': 'id=test:tester3' },
        { 'x-amz-grant-read': 'id="test:tester3",id="test:tester"', 'x-amz-grant-write-acp': 'id=test:tester' },
        { 'x-amz-grant-full-control': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
        { 'x-amz-grant-read': 'uri=http://acs.amazonaws.com/groups/global/AuthenticatedUsers' },
        { 'x-amz-grant-read': 'uri=http://acs.amazonaws.com/groups/s3/LogDelivery' },
        { 'x-amz-grant-read': 'uri=http://example.org/group' },
        { 'x-amz-grant-read': 'emailAddress=a@example.org' },
        { 'x-amz-grant-read': 'name=test' },
        { 'x-amz-grant-read': 'test' },
        { 'x-amz-grant-read': 'id=test:tester3', 'x-amz-acl': 'private' },
      ] as Record<string, string>[]
    ).flatMap((headers) => [s3('PUT', at('b?acl'), { headers }), s3('GET', at('b?acl'))]),
  ]);
  same('grants with a space between them', [
    s3('PUT', at('b?acl'), { headers: { 'x-amz-grant-read': 'id="test:tester3", id="test:tester"' } }),
  ]);
  same('lists in XML', [
    ...[
      policy('test:tester', grant('CanonicalUser', '<ID>test:tester</ID>', 'FULL_CONTROL')),
      policy('test:tester', grant('CanonicalUser', '<ID>test:tester3</ID><DisplayName>x</DisplayName>', 'READ')),
      policy('test:tester', grant('Group', '<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>', 'READ_ACP')),
      policy('test:tester', grant('Group', '<URI>http://example.org/x</URI>', 'READ')),
      policy('test:tester', grant('CanonicalUser', '<ID>test:tester</ID>', 'OTHER')),
      policy('test:tester', grant('Other', '<ID>test:tester</ID>', 'READ')),
      policy('test:tester', grant('AmazonCustomerByEmail', '<EmailAddress>a@b</EmailAddress>', 'READ')),
      policy('test:tester3', grant('CanonicalUser', '<ID>test:tester</ID>', 'READ')),
      policy('test:tester'),
      '<AccessControlPolicy/>',
      '<AccessControlPolicy>',
      '<Other/>',
      'text',
    ].flatMap((body) => [s3('PUT', at('b?acl'), { body }), s3('GET', at('b?acl'))]),
    s3('PUT', at('b?acl'), { body: policy('test:tester'), headers: { 'x-amz-acl': 'private' } }),
    s3('PUT', at('b?acl'), { body: 'x'.repeat(300_000) }),
  ]);
  same('a list with another Content-MD5', [
    s3('PUT', at('b?acl'), { body: policy('test:tester'), headers: { 'content-md5': md5Of('other') } }),
  ]);
  same('the list of buckets', [
    { ...s3('GET', '/'), show: ownBuckets },
    { ...s3('GET', '/?location'), show: ownBuckets },
    { ...s3('GET', '/?acl', other), show: ownBuckets },
  ]);
});
