import type { Readable } from 'node:stream';
import type { StorageNode } from '@zerocloud/object-server';
import type { StopSignal } from '@zerocloud/sandbox';
import type Koa from 'koa';
import type { Logger } from 'pino';
import type { Resellers } from './auth/resellers';
import type { ProxyConfig } from './config';
import type { SwiftPath } from './swift-path';

/** Everything a route or middleware may use; built once in `standalone.ts` or a test, passed down, never global. */
export interface Deps {
  node: StorageNode;
  config: ProxyConfig;
  log: Logger;
  /** Milliseconds since the epoch; injected so that tests can move time. */
  now(): number;
  /** Fires when the server is about to close: what would go on for ever ends. */
  stopping?: AbortSignal;
}

/** Who asks, as tempauth found out. */
export interface Identity {
  /** `account:user`. */
  user: string;
  /** As Swift prints them in REMOTE_USER: `test,test:tester,AUTH_test`. */
  groups: string[];
  resellerAdmin: boolean;
  /** The accounts that its groups can own. */
  resellers: Resellers;
}

/** What a request wants to touch: an account, a container (its listing), an object. */
export interface GrantTarget {
  account: string;
  container?: string;
  object?: string;
}

/**
 * Rights that a request has from something other than its identity: a signed URL, the server itself. `control` is the
 * right of an owner, to see and set who may do what. (Swift's `authorize_override`.)
 */
export type Grant = (access: 'read' | 'write' | 'control', target: GrantTarget) => boolean;

/** For what the server does by itself, after it has checked the rights of the caller. */
export const grantAll: Grant = () => true;

/** Per-request state, in `ctx.state`. */
export interface RequestState {
  /** `tx…`, answered as X-Trans-Id and X-Openstack-Request-Id. */
  transactionId: string;
  /** Split `/v1/…` path; set before authentication and any v1 route. Lengths of the names are not checked yet. */
  path: SwiftPath;
  /** Absent for anonymous requests. */
  identity?: Identity;
  /** The account whose ACL makes the caller an admin, once that was looked up. */
  adminOf?: string;
  /** Takes the place of all rights that the identity has. */
  grant?: Grant;
  /** Body of the answer where `ctx.body` is passed by (`respondBytes`). */
  body?: Buffer | Readable;
  /** Timestamp of the request, `1700000000.12345`: unique and increasing within this process. */
  readonly timestamp: string;
  /** Ends when the client hangs up or the server stops. */
  readonly signal: AbortSignal;
  /** The same for who needs no signal of Node's own; costs next to nothing. */
  readonly stop: StopSignal;
  /** The answer does not wait for others that become ready in the same turn of the event loop. */
  leavesAtOnce?: boolean;
}

export type SwiftContext = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;
