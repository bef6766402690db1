/** A difference from Swift that is meant, or cannot be helped. */
export interface KnownDifference {
  /** The suite in which it shows. */
  suite: string;
  /** Which case, by its name. */
  in: RegExp | string;
  /** `status`, `reason`, `body`, `header <name>`, or `*` for all of them. */
  what: string;
  /** The same words as in the table at the end of docs/api.md, which a unit test compares. */
  reason: string;
}

/** Checked both ways: a difference that is not listed fails, and so does an entry that shows no difference any more. */
export const knownDifferences: KnownDifference[] = [
  {
    suite: 'listings',
    in: /path$|path and/,
    what: 'body',
    reason: '`path=` loses the name right behind a pseudo-directory (`a0` behind `a/…`), and `a/` itself when reversed',
  },
  {
    suite: 'listings',
    in: 'a parameter of a container that is no UTF-8',
    what: 'header content-type',
    reason:
      'the sentence about a parameter that is no UTF-8 is `text/plain` for a container, `text/html` for an account',
  },
  {
    suite: 'listings',
    in: 'what is not wanted in Accept',
    what: '*',
    reason: 'a type with `q=0` is offered all the same',
  },
  {
    suite: 'pages',
    in: 'endpoints',
    what: 'body',
    reason:
      '/endpoints names backend servers of several devices; here it is one address, which a client can use as it is',
  },
  {
    suite: 'pages',
    in: 'paths that are wrong before it matters who asks',
    what: '*',
    reason: 'a path that is wrong is 401 without a token, before it is 400 or 412',
  },
  {
    suite: 'pages',
    in: 'an object without a container',
    what: '*',
    reason: 'a path with an object but no container is 500',
  },
  {
    suite: 'pages',
    in: 'a method that nobody knows',
    what: 'header allow',
    reason: 'the 405 to a method that nobody knows names those that are allowed',
  },
  {
    suite: 'form post',
    in: 'the page of a redirect',
    what: 'header content-type',
    reason: 'the page of a redirect has no Content-Type, and its link is not escaped',
  },
  {
    suite: 'form post',
    in: 'the page of a redirect',
    what: 'body',
    reason: 'the page of a redirect has no Content-Type, and its link is not escaped',
  },
  {
    suite: 'form post',
    in: 'a redirect that nobody signed',
    what: '*',
    reason: 'a form without files, or with too many, redirects to wherever it says, signed or not',
  },
  {
    suite: 'form post',
    in: /^a name (?:of RFC 5987|with quotes)$/,
    what: '*',
    reason:
      'names of files in forms are taken by the letter; here `filename*=` (RFC 5987) goes first, and `\\"` is a quote',
  },
  {
    suite: 'form post',
    in: /^a part (?:whose headers are none|with endless headers)$/,
    what: '*',
    reason: 'headers of a part may be anything; here what is no header, or longer than 16 KiB, is 400',
  },
  {
    suite: 'form post',
    in: 'a form without its end',
    what: '*',
    reason: 'a form that breaks off is stored as far as it came',
  },
  {
    suite: 'static web',
    in: /^visits (?:of (?:site|styled|absolute)$|with a token)/,
    what: 'header vary',
    reason: 'pages of web sites say `Vary: Accept`, though they do not depend on it',
  },
  {
    suite: 'static web',
    in: /^visits of (?:site|half|styled|absolute) by HEAD$/,
    what: '*',
    reason: 'HEAD of what a web site has an error page for is 500 (and `Vary: Accept` as above)',
  },
  {
    suite: 'services and hosts',
    in: 'scripts of other origins',
    what: 'header allow',
    reason: 'the Allow of a preflight leaves COPY out, though Access-Control-Allow-Methods names it',
  },
  {
    suite: 'services and hosts',
    in: 'scripts of other origins',
    what: 'header content-type',
    reason: 'a preflight has no Content-Type',
  },
  {
    suite: 'objects',
    in: 'a header line that is too long',
    what: '*',
    reason: 'its HTTP server refuses lines above 8 KiB with a reason of its own and without a body',
  },
  {
    suite: 'objects',
    in: 'a wrong ETag',
    what: 'header last-modified',
    reason: 'the refusal of a wrong ETag tells when the object that was not stored was modified',
  },
  {
    suite: 'large-objects',
    in: 'manifests that are not an object of JSON each',
    what: '*',
    reason: 'answers 500 to a segment that is no object or has no keys',
  },
  {
    suite: 'large-objects',
    in: 'a copy with a wrong ETag',
    what: 'header last-modified',
    reason: 'the refusal of a wrong ETag tells when the object that was not stored was modified',
  },
  {
    suite: 'large-objects',
    in: 'a lost segment and a range behind the end',
    what: '*',
    reason: 'looks at the first segment (409) before it finds that the range is behind the end (416)',
  },
  {
    suite: 'large-objects',
    in: /dynamic one (?:and|with) a range behind its end/,
    what: '*',
    reason:
      'a range behind the end of a dynamic large object is 416 before any condition, also with HEAD, and tells nothing else',
  },
  {
    suite: 'large-objects',
    in: /conditions of a dynamic one and the range/,
    what: 'header content-type',
    reason: 'a dynamic large object whose `If-Match` holds is said to be `text/html`',
  },
  {
    suite: 'large-objects',
    in: /conditions of a dynamic one and the range/,
    what: 'header accept-ranges',
    reason: 'a dynamic large object whose `If-Match` holds is said to be `text/html`, and not to accept ranges',
  },
  {
    suite: 'bulk',
    in: 'a file that breaks off',
    what: 'body',
    reason: 'a member that the end of the archive cuts off is listed with 500, too',
  },
  {
    suite: 'bulk',
    in: 'several bzip2 streams behind each other',
    what: 'body',
    reason: 'bzip2 files of several streams, as pbzip2 writes them, break off after the first',
  },
  {
    suite: 'bulk',
    in: 'bytes behind the end, and damaged headers',
    what: 'body',
    reason:
      'an archive ends at a damaged or cut header, and at its first zero block, without a word; here damage is told, and archives behind each other are one',
  },
  {
    suite: 'versions',
    in: 'an end marker of versions',
    what: 'body',
    reason: '`end_marker` of a list of versions is ignored',
  },
  {
    suite: 'versions',
    in: 'a marker of versions in reverse',
    what: 'body',
    reason: '`marker` of a reversed list of versions lists the versions of the marker itself',
  },
  {
    suite: 'versions',
    in: 'what a deleted object answers',
    what: 'header x-object-version-id',
    reason: 'the 404 to a reader of a deleted object is called its null version',
  },
  {
    suite: 'versions',
    in: 'an older version that is current behind a marker',
    what: 'body',
    reason: 'a delete marker that is newer than a restored version is listed as the latest, too',
  },
  { suite: 'versions', in: 'restoring the null version', what: '*', reason: 'PUT `?version-id=null` is 500' },
  {
    suite: 'versions',
    in: 'deleting a version that is not there',
    what: 'header x-object-current-version-id',
    reason: 'the 404 to deleting a version that is not there has the headers of a success',
  },
  {
    suite: 'versions',
    in: 'deleting a version that is not there',
    what: 'header x-object-version-id',
    reason: 'the 404 to deleting a version that is not there has the headers of a success',
  },
  {
    suite: 's3 buckets',
    in: 'HEAD',
    what: '*',
    reason: "HEAD of a bucket has the type and date of Swift's listing, and names no region",
  },
  {
    suite: 's3 buckets',
    in: 'a storage policy that is not there',
    what: '*',
    reason: 'a bucket with a storage policy that is not there is 500',
  },
  {
    suite: 's3 buckets',
    in: 'a name that is not ASCII',
    what: 'body',
    reason: 'names are told as if their bytes were Latin-1',
  },
  {
    suite: 's3 buckets',
    in: 'a path that is not UTF-8',
    what: 'body',
    reason: 'a path that is not UTF-8 is told in capital letters',
  },
  {
    suite: 's3 buckets',
    in: 'a path without a bucket',
    what: '*',
    reason: '`//` is the list of buckets, and `//key` is 500',
  },
  {
    suite: 's3 buckets',
    in: /^(?:tagging|the lists of|grants in|lists in)/,
    what: 'header content-type',
    reason: 'lists of rights are said to be `text/html`, and tags nothing at all',
  },
  {
    suite: 's3 buckets',
    in: 'tags of what is not there, and of others',
    what: '*',
    reason: 'GET `?tagging` finds no tags whether the bucket or object is there or not, and for everybody',
  },
  {
    suite: 's3 buckets',
    in: 'what Swift has never heard of',
    what: '*',
    reason:
      'subresources that it does not know are ignored: PUT `?encryption` would make a bucket, DELETE `?encryption` delete it',
  },
  {
    suite: 's3 buckets',
    in: 'grants with a space between them',
    what: '*',
    reason: 'grants in a header may have no space between them',
  },
  {
    suite: 's3 buckets',
    in: 'a list with another Content-MD5',
    what: '*',
    reason: 'Content-MD5 of a list of rights is not looked at',
  },
  {
    suite: 's3 objects',
    in: 'hashes of other bodies',
    what: 'body',
    reason: 'a body of another SHA-256 is said to be of another Content-MD5, and what is no SHA-256, too',
  },
  { suite: 's3 objects', in: 'a token of a session', what: '*', reason: 'tokens of sessions are ignored' },
  {
    suite: 's3 objects',
    in: 'a name that is not UTF-8',
    what: 'body',
    reason: 'a path that is not UTF-8 is told in capital letters',
  },
  {
    suite: 's3 objects',
    in: 'a name that XML cannot hold',
    what: '*',
    reason: 'a name that XML cannot hold makes every list of its bucket 500',
  },
  {
    suite: 's3 objects',
    in: 'a condition before a range that is not there',
    what: '*',
    reason: 'HEAD looks at the range before the conditions',
  },
  {
    suite: 's3 objects',
    in: 'a copy source with a parameter',
    what: 'body',
    reason: 'the header of a copy source with a parameter is told in capital letters',
  },
  {
    suite: 's3 objects',
    in: /^deleting (?:many|versions where)/,
    what: 'header content-type',
    reason: 'the report on deletions is said to be `text/html`',
  },
  {
    suite: 's3 objects',
    in: 'deleting versions where there are none',
    what: 'body',
    reason: 'deleting a version where there are none is `Server Error`, and the null version is not named',
  },
  {
    suite: 's3 listings',
    in: 'types of lists that there are not',
    what: '*',
    reason: 'a list type that is no number is 500, and others are lists of the first version',
  },
  {
    suite: 's3 listings',
    in: 'tokens that nobody gave out',
    what: '*',
    reason: 'a continuation token that nobody gave out is 500, or ignored',
  },
  {
    suite: 's3 versions',
    in: /^settings/,
    what: 'header content-type',
    reason: 'the setting of versions has no Content-Type',
  },
  {
    suite: 's3 versions',
    in: 'settings without a status',
    what: '*',
    reason: 'a setting of versions without a status is 500',
  },
  {
    suite: 's3 versions',
    in: 'settings, for others',
    what: '*',
    reason: 'everybody may ask whether a bucket keeps versions',
  },
  { suite: 's3 versions', in: 'what is no version', what: '*', reason: 'a version id that is none is 500' },
  {
    suite: 's3 versions',
    in: 'reading a marker',
    what: '*',
    reason: 'the 404 to a reader of a delete marker does not say that it is one',
  },
  {
    suite: 's3 versions',
    in: 'deleting what is not there',
    what: '*',
    reason: 'the delete marker of what is not there is not told',
  },
  {
    suite: 's3 versions',
    in: /^(?:taking a deletion back|deleting versions|deletions of what)/,
    what: '*',
    reason: 'deleting a version does not tell which one, and says how the one before was restored',
  },
  {
    suite: 's3 versions',
    in: 'deleting many',
    what: 'body',
    reason: 'deleting several objects does not tell the delete markers',
  },
  {
    suite: 's3 versions',
    in: 'a copy of a version without an id',
    what: '*',
    reason: 'a copy source with `?versionId=` is the current version; here it is 400',
  },
  {
    suite: 's3 versions',
    in: 'pages of versions',
    what: 'body',
    reason: 'the next page of a list of versions begins behind the null version',
  },
  {
    suite: 's3 versions',
    in: 'a list behind a null version that is not there',
    what: 'body',
    reason: 'behind the null version there are none',
  },
  { suite: 's3 versions', in: 'the rights to a version', what: '*', reason: 'the rights to a version are 404' },
  {
    suite: 's3 versions',
    in: 'deleting the null version',
    what: '*',
    reason: 'deleting a null version that is not there hides the object',
  },
  {
    suite: 's3 uploads',
    in: 'pages of uploads',
    what: 'body',
    reason:
      'a page of uploads with one row, or with a prefix last, does not tell where the next begins, and the next has that prefix again; an empty delimiter hides all; names of uploads are not encoded',
  },
  {
    suite: 's3 uploads',
    in: 'a range without an end',
    what: '*',
    reason: 'a part may be copied from `bytes=n-`, which AWS refuses',
  },
  {
    suite: 's3 uploads',
    in: 'a list of copied parts',
    what: 'body',
    reason: 'the entity tag of a copied part is empty in the list of parts',
  },
  {
    suite: 's3 uploads',
    in: 'completing with parts that are not there, or small',
    what: 'body',
    reason: 'refusals do not tell which part is missing or too small',
  },
  {
    suite: 's3 uploads',
    in: 'an upload that is over',
    what: '*',
    reason: 'an upload that is over is `NoSuchKey`, and lists the parts that were not used',
  },
  {
    suite: 's3 uploads',
    in: 'a copy of the whole',
    what: '*',
    reason: 'a copy of a multipart object, which is in one piece, keeps the entity tag of the parts',
  },
  {
    suite: 's3 uploads',
    in: 'an underscore in metadata',
    what: '*',
    reason: '`_` in the metadata of a multipart upload becomes `-`',
  },
  {
    suite: 's3 signatures',
    in: 'times to come',
    what: '*',
    reason: 'a signed URL whose time has not come yet is good, and an expiry after 2038 is told as any other refusal',
  },
  { suite: 's3 signatures', in: 'no host', what: '*', reason: 'the host need not be signed' },
  { suite: 's3 signatures', in: 'two of them', what: '*', reason: 'of two signatures that of the URL counts' },
  {
    suite: 's3 objects',
    in: 'metadata that is refused',
    what: '*',
    reason: 'metadata beyond the limits, and bad times of expiry, are 500',
  },
  {
    suite: 's3 uploads',
    in: 'empty pages of parts',
    what: 'body',
    reason:
      'behind an empty page of parts the next begins at 0: clients that ask on as long as there is a number never end',
  },
  {
    suite: 's3 objects',
    in: 'conditions of a deletion',
    what: '*',
    reason: 'conditions of DELETE and POST are ignored',
  },
  {
    suite: 's3 signatures',
    in: 'headers in a URL',
    what: '*',
    reason: 'headers that an SDK moved into a signed URL (`x-amz-acl`, `x-amz-meta-…`) are ignored',
  },
  {
    suite: 'random',
    in: 'several reasons to refuse',
    what: '*',
    reason: 'of several reasons to refuse a request another one may be told first',
  },
  {
    suite: 'random',
    in: 'hidden containers',
    what: '*',
    reason:
      'the hidden containers of versions are counted, named by links to versions, and refuse before the object does',
  },
  {
    suite: 'random',
    in: '304 and 412',
    what: '*',
    reason: 'a 304 or 412 tells of the null version and of copies what others do not',
  },
  {
    suite: 'random',
    in: 'the null version',
    what: '*',
    reason:
      'the null version is named where there never were others, and conditions on it are those of the current one',
  },
  {
    suite: 'random',
    in: 'version-id without versions',
    what: '*',
    reason: '`?version-id` is ignored where versions go to another container, and 500 for PUT of `null`',
  },
  {
    suite: 'random',
    in: 'the link of a version',
    what: '*',
    reason: '`?symlink=get` of a version shows its own link to it',
  },
  {
    suite: 'random',
    in: 'a link with a body',
    what: '*',
    reason: 'a link in a container with versions may have a body, which nobody can read',
  },
  {
    suite: 'random',
    in: 'never had versions',
    what: '*',
    reason: 'a container whose versions were switched off without ever having been on says so',
  },
  {
    suite: 'random',
    in: 'settings that cannot be',
    what: '*',
    reason: 'a container may have both kinds of versioning; a POST may make an object a manifest that is none',
  },
  { suite: 'random', in: 'conditions of writes', what: '*', reason: 'conditions of PUT, POST and DELETE are ignored' },
  {
    suite: 'random',
    in: 'a wrong ETag',
    what: '*',
    reason: 'the refusal of a wrong ETag tells when the object that was not stored was modified',
  },
  {
    suite: 'random',
    in: 'a range behind a dynamic end',
    what: '*',
    reason: 'a range behind the end of a dynamic large object is 416 without its headers',
  },
  {
    suite: 'random',
    in: 'a dynamic If-Match',
    what: '*',
    reason: 'a dynamic large object whose `If-Match` holds is said to be `text/html`, and not to accept ranges',
  },
  {
    suite: 'random',
    in: '412 to a manifest',
    what: '*',
    reason: 'the 412 to `?multipart-manifest=get` is said to be JSON',
  },
  {
    suite: 'random',
    in: 'a large object that breaks off',
    what: '*',
    reason: 'a large object that breaks off after its first segment may be 500',
  },
  { suite: 'random', in: 'account admins', what: '*', reason: 'account admins by ACL may PUT and delete the account' },
  {
    suite: 'random',
    in: 'a link and scripts',
    what: '*',
    reason: 'the 307 to a POST to a link tells scripts of other origins nothing',
  },
  { suite: 'random', in: 'account ACLs', what: '*', reason: 'account ACLs are read as Latin-1' },
  { suite: 'random', in: 'part numbers', what: '*', reason: '`?part-number` is unknown to Swift 2.30' },
  {
    suite: 'random',
    in: 'Allow',
    what: '*',
    reason: 'OPTIONS and 405 allow what is there, though not COPY, and nothing at all to methods nobody knows',
  },
  {
    suite: 'random',
    in: 'bad heads',
    what: '*',
    reason: 'a wrong Content-Length or a blank behind the name of a header is passed over',
  },
  {
    suite: 'random',
    in: 'no answer',
    what: '*',
    reason: 'answers nothing at all to a request now and then, whose body it has not read',
  },
];
