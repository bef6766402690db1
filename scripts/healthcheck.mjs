#!/usr/bin/env node
/** Exit status 0 if the server that reads the same environment answers; for HEALTHCHECK in the Dockerfile. */
const port = process.env.ZEROCLOUD_PORT || '8080';
try {
  const { ok } = await fetch(`http://127.0.0.1:${port}/healthcheck`, { signal: AbortSignal.timeout(2_500) });
  process.exit(ok ? 0 : 1);
} catch {
  process.exit(1);
}
