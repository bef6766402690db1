import { differential } from './differential';

/**
 * `SWIFT_RATES_URL`: a Swift whose ratelimit middleware has account_ratelimit = 1, container_ratelimit_0 and
 * container_listing_ratelimit_0 = 0.5 and max_sleep_time_seconds = 1: of two writes the second would wait for two seconds,
 * and is refused. Swift limits no container that it believes to be empty, so ours has its limits from one object on.
 */
differential(
  'rates',
  ({ account, same }) => {
    const c = `/v1/${account}/c`;
    same('rates of containers, objects and listings', async (on) => {
      await on.send({ method: 'PUT', path: c });
      await on.send({ method: 'PUT', path: `${c}/o`, body: 'content' });
      // Makes Swift forget how many objects it saw in the container.
      await on.send({ method: 'POST', path: c, headers: { 'x-container-meta-a': 'b' } });
      await on.send({ method: 'PUT', path: `${c}/p`, body: 'content' });
      const { swift } = await on.send({ method: 'PUT', path: `${c}/q`, body: 'content' });
      expect(swift.status).toBe(498);
      for (const method of ['POST', 'DELETE', 'HEAD', 'GET']) await on.send({ method, path: `${c}/o` });
      await on.send({ method: 'COPY', path: `${c}/o`, headers: { destination: 'c/q' } });
      await on.send({ path: c });
      const listed = await on.send({ path: `${c}?format=json` });
      expect(listed.swift.status).toBe(498);
      await on.send({ method: 'HEAD', path: c });
      for (let i = 0; i < 2; i++) await on.send({ path: `/v1/${account}` });
    });
  },
  {
    urlVariable: 'SWIFT_RATES_URL',
    env: {
      ACCOUNT_RATELIMIT: '1',
      CONTAINER_RATELIMITS: '1=0.5',
      CONTAINER_LISTING_RATELIMITS: '1=0.5',
      RATELIMIT_MAX_SLEEP_S: '1',
    },
  },
);
