/**
 * A listing page of 10,000 names must cost the same in a container of 1,000,000 objects as in one of 20,000; one level of
 * 1,000,000 names in folders no more than some plain pages.
 */
import { openLevelStore } from '@zerocloud/object-server';
import { send } from '../http.mjs';
import { latencies, median } from '../statistics.mjs';

const account = 'AUTH_test';
const nameOf = (number) => `photos/2026/${String(number).padStart(8, '0')}.jpg`;
/** 1,000 folders of 1,000. */
const folderNameOf = (number) => {
  const digits = String(number).padStart(6, '0');
  return `set-${digits.slice(0, 3)}/${digits.slice(3)}.jpg`;
};
const containers = {
  'bench-20k': { count: 20_000, nameOf },
  'bench-1m': { count: 1_000_000, nameOf },
  'bench-folders': { count: 1_000_000, nameOf: folderNameOf },
};

async function* noBody() {}

/** Fills the containers through the store itself, unsynced: a million PUTs over HTTP would take minutes. */
export async function prepareListing(dataDir) {
  const store = await openLevelStore({ dataDir, fsync: false });
  const timestamp = '1700000000.00000';
  for (const [container, { count, nameOf: name }] of Object.entries(containers)) {
    await store.putContainer({ account, container }, { timestamp, metadata: {} });
    for (let done = 0; done < count; done += 2000) {
      const batch = Array.from({ length: Math.min(2000, count - done) }, (_, i) =>
        store.putObject({ account, container, object: name(done + i) }, noBody(), {
          timestamp,
          contentType: 'image/jpeg',
          metadata: {},
          contentLength: 0,
          maxBytes: 0,
        }),
      );
      await Promise.all(batch);
    }
  }
  await store.close();
}

export async function listing({ server }) {
  const headers = { 'x-auth-token': server.token };
  const page = (container) => async (round) => {
    const marker = encodeURIComponent(nameOf(((round * 7919) % (containers[container].count - 10_001)) + 1));
    const target = `${server.account}/${container}?format=json&limit=10000&marker=${marker}`;
    const answer = await send(server.port, 'GET', target, { headers });
    if (answer.status !== 200 || answer.bytes < 1e6)
      throw new Error(`listing: ${answer.status}, ${answer.bytes} bytes`);
  };
  const [large, small] = [[], []];
  for (let round = 0; round < 5; round++) {
    large.push(...(await latencies(8, page('bench-1m'), 2)));
    small.push(...(await latencies(8, page('bench-20k'), 2)));
  }
  const [ours, floor] = [median(large), median(small)];
  return {
    name: 'listing page of 10,000 out of 1,000,000 against out of 20,000, p50',
    unit: 'ms',
    ours,
    floor,
    ratio: ours / floor,
    reach: '<= 1.3',
    ok: ours / floor <= 1.3,
  };
}

export async function listingByDelimiter({ server }) {
  const headers = { 'x-auth-token': server.token };
  const get = (query, minBytes) => async () => {
    const answer = await send(server.port, 'GET', `${server.account}/bench-folders?format=json&${query}`, { headers });
    if (answer.status !== 200 || answer.bytes < minBytes)
      throw new Error(`listing: ${answer.status}, ${answer.bytes} bytes`);
  };
  const [level, plain] = [[], []];
  for (let round = 0; round < 5; round++) {
    level.push(...(await latencies(8, get('delimiter=/', 20_000), 2)));
    plain.push(...(await latencies(8, get('limit=10000', 1e6), 2)));
  }
  const [ours, floor] = [median(level), median(plain)];
  return {
    name: 'one level of 1,000,000 names (delimiter=/) against a plain page of 10,000, p50',
    unit: 'ms',
    ours,
    floor,
    ratio: ours / floor,
    reach: '<= 5',
    ok: ours / floor <= 5,
  };
}
