/** The name of the host that a request came for, without its port; `undefined` for none. */
export function findHostName(host: string | undefined): { name: string; port: string } | undefined {
  if (!host) return undefined;
  const colon = host.lastIndexOf(':');
  if (colon < 0 || host.endsWith(']')) return { name: host, port: '' };
  return { name: host.slice(0, colon), port: host.slice(colon) };
}

/** The storage domain at the end of a name, with its dot. */
export function findStorageDomain(name: string, domains: readonly string[]): string | undefined {
  return domains.find((domain) => name.endsWith(domain));
}
