import type { SwiftContext } from '../context';
import { decodeHeaderTextLossless } from '../http/header-text';
import { rawQueryOf } from '../swift-path';

/** What the server itself puts among the request's headers, over anything the client sent. */
export interface ServerHeaders {
  execute: string;
  /** URL of the job's object, as X-Zerovm-Source names it. */
  source?: string;
  timeoutS: number;
  /** X-Zerocloud-Id: orders jobs. */
  jobId: string;
}

const chainedHeaders = new Set(['host', 'origin']);

/**
 * The CGI variables of a job that another one asked for: those of a POST to the account, which of the client's request
 * keeps who asked, where, and the query.
 */
export function chainedEnvironment(ctx: SwiftContext, server: ServerHeaders): Record<string, string> {
  const env = cgiEnvironment(ctx, server);
  for (const name in ctx.req.headers) if (!chainedHeaders.has(name)) delete env[variableOf(name)];
  const path = `/${ctx.state.path.account}`;
  addServerHeaders(env, ctx, server);
  env.REQUEST_METHOD = 'POST';
  env.REQUEST_URI = `/v1${path}${env.QUERY_STRING === undefined ? '' : `?${env.QUERY_STRING}`}`;
  env.PATH_INFO = path;
  return env;
}

/**
 * The CGI variables of a job, the same for all of its nodes (SCRIPT_NAME and SCRIPT_FILENAME are each node's own).
 * Credentials and the service's internal headers never reach a guest.
 */
export function cgiEnvironment(ctx: SwiftContext, server: ServerHeaders): Record<string, string> {
  const { req } = ctx;
  const { identity, path } = ctx.state;
  const [, serverName = '', serverPort = '80'] = /^(.*?)(?::(\d+))?$/.exec(req.headers.host ?? '') ?? [];
  const env: Record<string, string> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: 'zerocloud',
    SERVER_PROTOCOL: `HTTP/${req.httpVersion}`,
    SERVER_NAME: serverName,
    SERVER_PORT: serverPort,
    REQUEST_METHOD: req.method!,
    REQUEST_URI: decodeHeaderTextLossless(req.url!),
    PATH_INFO: ['', path.account, path.container, path.object].filter((part) => part !== undefined).join('/'),
  };
  if (identity) env.REMOTE_USER = identity.groups.join(',');
  const query = rawQueryOf(req.url!);
  if (query) env.QUERY_STRING = decodeHeaderTextLossless(query);
  for (const name in req.headers) {
    if (hidden.test(name)) continue;
    const value = req.headers[name]!;
    env[variableOf(name)] = decodeHeaderTextLossless(typeof value === 'string' ? value : value.join(', '));
  }
  addServerHeaders(env, ctx, server);
  return env;
}

function addServerHeaders(env: Record<string, string>, { state }: SwiftContext, server: ServerHeaders): void {
  env.HTTP_X_ZEROVM_EXECUTE = server.execute;
  env.HTTP_X_ZEROVM_TIMEOUT = String(server.timeoutS);
  env.HTTP_X_ZEROCLOUD_ID = server.jobId;
  env.HTTP_X_TRANS_ID = state.transactionId;
  if (server.source !== undefined) env.HTTP_X_ZEROVM_SOURCE = server.source;
}

const hidden =
  /^(?:x-(?:account|container|object)-sysmeta-|x-backend|x-auth|content-type|content-length|x-storage-token|x-service-token|cookie|authorization|x-zerovm-(?:valid|pool|access|daemon)$|x-nexe-)/;

const variables = new Map<string, string>();

function variableOf(header: string): string {
  let variable = variables.get(header);
  if (variable === undefined) {
    variable = `HTTP_${header.toUpperCase().replaceAll('-', '_')}`;
    if (variables.size >= 1000) variables.clear();
    variables.set(header, variable);
  }
  return variable;
}
