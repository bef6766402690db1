import type { Deps, SwiftContext } from '../context';
import type { Listings } from './plan';
import type { Rights } from './rights';

/**
 * Complete listings for wildcards, page by page, with the caller's rights: a foreign container must grant its listing,
 * a foreign account that of its containers, unless set-uid lends it.
 */
export function createListings(ctx: SwiftContext, deps: Deps, rights: Rights): Listings {
  const { node } = deps;
  const { accountListingLimit, containerListingLimit } = deps.config.limits;
  return {
    async *containers(account, prefix) {
      await rights.demandAccountListing(account);
      yield* pages(accountListingLimit, (marker) =>
        node.listContainers(account, { limit: accountListingLimit, prefix, marker }),
      );
    },
    async *objects(account, container, prefix) {
      await rights.demand({ account, container }, 'read');
      yield* pages(containerListingLimit, (marker) =>
        node.listObjects({ account, container }, { limit: containerListingLimit, prefix, marker }),
      );
    },
  };

  async function* pages(
    limit: number,
    list: (marker: string | undefined) => Promise<({ name: string } | { subdir: string })[]>,
  ): AsyncGenerator<string> {
    let marker: string | undefined;
    for (;;) {
      ctx.state.stop.throwIfAborted();
      const page = await list(marker);
      for (const entry of page) if ('name' in entry) yield entry.name;
      const last = page.at(-1);
      if (page.length < limit || !last) return;
      marker = 'name' in last ? last.name : last.subdir;
    }
  }
}
