import {
  choice,
  everyRole,
  integer,
  list,
  origin,
  proxyRoles,
  type Setting,
  secret,
  storageRoles,
  text,
} from './kinds';
import { defaultUsers, parseUsers } from './lists';

const readBy = proxyRoles;
const day = 86_400;

/** Where a server listens, what it keeps, and who may log in. */
export const serverSettings = {
  host: text('HOST', {
    type: 'host name or address',
    pattern: /^[A-Za-z0-9.:_-]+$/,
    default: '127.0.0.1',
    sentence:
      'Address to listen on; beyond loopback only with users (and, for an object server, a node key) of your own.',
  }),
  port: integer('PORT', {
    min: 0,
    max: 65535,
    default: 8080,
    roles: { 'object-server': 6200 },
    defaultText: '8080 (object server: 6200)',
    sentence: 'Port to listen on; 0 takes any free one.',
  }),
  logLevel: choice('LOG_LEVEL', {
    of: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    default: 'info',
    sentence: 'Least severe log line that is written to stderr.',
  }),
  dataDir: text('DATA_DIR', {
    type: 'directory',
    pattern: /^[^\0]+$/,
    readBy: storageRoles,
    default: './data',
    sentence: 'Directory that holds all objects and records; made if missing, used by one process at a time.',
  }),
  users: list('USERS', {
    type: 'account:user=key group…;…',
    readBy,
    defaultText: defaultUsers,
    secret: true,
    parseAll: parseUsers,
    sentence: 'Who may log in; groups as in tempauth: .admin owns its account, .reseller_admin all accounts.',
  }),
  tokenLifetimeS: integer('TOKEN_LIFETIME_S', {
    readBy,
    min: 1,
    max: 10 * 365 * day,
    default: day,
    sentence: 'Seconds a token is valid.',
  }),
  nodeUrl: origin('NODE_URL', {
    readBy: proxyRoles,
    sentence: 'Object server to use; makes this process a proxy only, without a data directory of its own.',
  }),
  nodeKey: secret('NODE_KEY', {
    readBy: everyRole,
    minLength: 16,
    sentence: 'Secret that the proxy shows and the object server asks for.',
  }),
  nodeTimeoutS: integer('NODE_TIMEOUT_S', {
    readBy: ['proxy'],
    min: 1,
    max: day,
    default: 60,
    sentence:
      'Seconds without a sign of life of the object server while it owes an answer or the rest of one, then 503.',
  }),
  clientTimeoutS: integer('CLIENT_TIMEOUT_S', {
    readBy,
    min: 1,
    max: day,
    default: 60,
    sentence:
      'Seconds without a byte of an announced request body, then 408; or without one of a longer answer taken, then the connection is cut.',
  }),
  maxUploadTimeS: integer('MAX_UPLOAD_TIME_S', {
    readBy,
    min: 1,
    max: 30 * day,
    default: day,
    sentence: 'Seconds a whole upload may take, then 408.',
  }),
  expirerIntervalS: integer('EXPIRER_INTERVAL_S', {
    readBy: storageRoles,
    min: 1,
    max: day,
    default: 60,
    sentence: 'Seconds between two looks for expired objects to remove (they are unreachable at once).',
  }),
} satisfies Record<string, Setting<unknown>>;
