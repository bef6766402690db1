/**
 * The storage protocol: what a proxy and an object server say to each other over HTTP/1.1. It is private to the two
 * (same version on both sides), shaped as one resource per noun:
 *
 * - names travel percent-encoded in the path, records as JSON, bodies as plain HTTP bodies;
 * - what belongs to a body travels beside it as JSON in one header (`x-zerocloud-record`, `x-zerocloud-options`);
 * - a refusal is a status and `{"code","message"}`, rebuilt as the same `StorageError` on the other side;
 * - who asks for a session says how often he wants to hear `102 Processing` until it has ended, so that a program that runs
 *   long is no server that hangs (`x-zerocloud-heartbeat`, milliseconds);
 * - an opened object whose body is not sent along is pinned by a *lease* until it is released or not renewed any more.
 */

/** Bodies up to this size come with the record when an object is opened; larger ones are read through a lease. */
export const inlineBodyBytes = 65_536;

/** A lease that was neither read nor renewed for this long is dropped: its proxy is gone. */
export const leaseLifetimeMs = 60_000;

/** How often a proxy renews the leases it holds. */
export const leaseRenewalMs = 20_000;

/** Bytes of headers both sides accept: metadata at their largest, escaped to ASCII, with room. */
export const maxHeaderBytes = 262_144;

/** Largest JSON body of a request: a session with its arguments, environment and small inputs. */
export const maxRequestBytes = 64 * 1024 ** 2;

export const recordHeader = 'x-zerocloud-record';
export const optionsHeader = 'x-zerocloud-options';
export const leaseHeader = 'x-zerocloud-lease';
export const heartbeatHeader = 'x-zerocloud-heartbeat';

/** Least time between two signs of life, whatever is asked for. */
export const minHeartbeatMs = 50;

/** JSON that may stand in a header: everything beyond ASCII is escaped. */
export function toHeader(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\uffff]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** A path of the protocol; every part becomes one segment, whatever bytes it holds. */
export function toPath(...parts: string[]): string {
  return `/v1/${parts.map(encodeURIComponent).join('/')}`;
}
