import type { ProxyConfig } from '../config';
import type { SizeRate } from '../rate-limit/rates';

/** What `/info` says of web pages, hosts, ETags and rates. */
export function webInfo({ hosts, rates, quoteEtags }: ProxyConfig): Record<string, unknown> {
  return {
    staticweb: {},
    crossdomain: {},
    etag_quoter: { enable_by_default: quoteEtags },
    ratelimit: {
      account_ratelimit: rates.accountPerSecond,
      max_sleep_time_seconds: rates.maxSleepS,
      container_ratelimits: rates.containerRates.map(pair),
      container_listing_ratelimits: rates.listingRates.map(pair),
    },
    ...(hosts.storageDomains.length > 0 && {
      domain_remap: { default_reseller_prefix: hosts.defaultPrefix ?? null },
      ...(hosts.cnameDepth > 0 && { cname_lookup: { lookup_depth: hosts.cnameDepth } }),
    }),
  };
}

function pair({ minObjects, perSecond }: SizeRate): [number, number] {
  return [minObjects, perSecond];
}
