import type { ProxyConfig } from '../config';

/** What `/info` says of signed URLs and forms. */
export function signedUrlInfo({ tempUrl }: ProxyConfig): Record<'tempurl' | 'formpost', unknown> {
  const allowed_digests = [...tempUrl.digests].sort();
  const digests = { allowed_digests, deprecated_digests: allowed_digests.filter((digest) => digest === 'sha1') };
  return {
    tempurl: {
      methods: tempUrl.methods,
      incoming_remove_headers: tempUrl.incomingRemoveHeaders,
      incoming_allow_headers: tempUrl.incomingAllowHeaders,
      outgoing_remove_headers: tempUrl.outgoingRemoveHeaders,
      outgoing_allow_headers: tempUrl.outgoingAllowHeaders,
      ...digests,
    },
    formpost: digests,
  };
}
