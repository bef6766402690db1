import type { StorageNode } from '@zerocloud/object-server';
import type Koa from 'koa';
import type { Logger } from 'pino';
import type { ProxyConfig } from './config';
import type { SwiftPath } from './swift-path';

/** Everything a route or middleware may use; built once in `main.ts` or a test, passed down, never global. */
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
}

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
  /** Timestamp of the request, `1700000000.12345`: unique and increasing within this process. */
  readonly timestamp: string;
  /** Ends when the client hangs up or the server stops. */
  readonly signal: AbortSignal;
}

export type SwiftContext = Koa.ParameterizedContext<RequestState>;
export type Middleware = Koa.Middleware<RequestState>;
