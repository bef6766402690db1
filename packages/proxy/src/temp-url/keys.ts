import type { ContainerPath, Metadata } from '@zerocloud/object-server';
import type { Deps } from '../context';

/** The keys that sign URLs and forms: two of the account, for all its objects, and two of the container, for its own. */
export interface SigningKeys {
  account: string[];
  container: string[];
}

const names = ['temp-url-key', 'temp-url-key-2'];

/** `X-Account-Meta-Temp-URL-Key`, `…-Key-2`, and the same of the container. Owners alone see and set them. */
export async function findSigningKeys({ node }: Deps, path: ContainerPath): Promise<SigningKeys> {
  const [account, container] = await Promise.all([node.findAccount(path.account), node.findContainer(path)]);
  return {
    account: keysIn(account?.metadata, 'x-account-meta-'),
    container: keysIn(container?.metadata, 'x-container-meta-'),
  };
}

function keysIn(metadata: Metadata = {}, prefix: string): string[] {
  return names.map((name) => metadata[prefix + name]).filter((key) => key !== undefined && key !== '') as string[];
}
