import os from 'node:os';
import { parseDaemons } from './daemons';
import { choice, integer, list, proxyRoles, type Setting, storageRoles, text } from './kinds';
import { parseSystemImages } from './lists';

const readBy = proxyRoles;
const day = 86_400;

/** Where programs run: how many, how confined, and what is kept for them. */
export const sandboxSettings = {
  maxSessions: integer('MAX_SESSIONS', {
    readBy: storageRoles,
    min: 1,
    max: 1024,
    default: Math.max(2, os.availableParallelism()),
    defaultText: 'number of cores, at least 2',
    sentence: 'Programs that run at once, each in a process of its own.',
  }),
  reservedSessions: integer('RESERVED_SESSIONS', {
    readBy: storageRoles,
    min: 0,
    max: 1024,
    default: 2,
    sentence: 'Programs beyond MAX_SESSIONS, each of an account that runs none: it starts at once.',
  }),
  connectedSessions: integer('CONNECTED_SESSIONS', {
    readBy: storageRoles,
    min: 2,
    max: 64,
    default: 16,
    sentence:
      'Programs beside those that run at once in jobs whose nodes are connected. A larger such job runs in parts; a cycle must fit.',
  }),
  maxQueuedSessions: integer('MAX_QUEUED_SESSIONS', {
    readBy: storageRoles,
    min: 1,
    max: 1_000_000,
    default: 10_000,
    sentence: 'Programs of one account that may wait (of all accounts, 8 times as many); further ones get 503.',
  }),
  daemons: list('DAEMONS', {
    type: 'id=file;…',
    readBy,
    defaultText: '',
    parseAll: parseDaemons,
    sentence:
      'Files with a job description each: jobs of the same program and devices start as that daemon (zerovm_daemons).',
  }),
  maxDaemons: integer('MAX_DAEMONS', {
    readBy: storageRoles,
    min: 0,
    max: 1000,
    default: 4,
    sentence: 'Applications of one account that are kept started (daemons); 0 keeps none.',
  }),
  maxDaemonBytes: integer('MAX_DAEMON_BYTES', {
    readBy: storageRoles,
    min: 1,
    default: 256 * 1024 ** 2,
    sentence: 'Bytes on disk of the daemons of one account; those not used for the longest time make room.',
  }),
  maxAllDaemonsBytes: integer('MAX_ALL_DAEMONS_BYTES', {
    readBy: storageRoles,
    min: 1,
    default: 2 * 1024 ** 3,
    sentence: 'Bytes on disk of the daemons of all accounts.',
  }),
  daemonIdleS: integer('DAEMON_IDLE_S', {
    readBy: storageRoles,
    min: 1,
    max: 30 * day,
    default: 600,
    sentence: 'Seconds without use after which a daemon is removed.',
  }),
  inflatedImageBytes: integer('INFLATED_IMAGE_BYTES', {
    readBy: storageRoles,
    min: 0,
    default: 1024 ** 3,
    sentence: 'Bytes of gzipped images that are kept inflated (for an hour) for further programs.',
  }),
  systemImages: list('SYSTEM_IMAGES', {
    type: 'name=path;…',
    readBy: storageRoles,
    defaultText: '',
    parseAll: parseSystemImages,
    sentence: 'Further system images for jobs, each a directory or a tar (python is always there).',
  }),
  jail: choice('JAIL', {
    of: ['auto', 'require', 'off'],
    readBy: storageRoles,
    default: 'auto',
    sentence: 'Confinement of programs: the strongest form there is here, nothing less than the full one, or none.',
  }),
  pythonImage: text('PYTHON_IMAGE', {
    type: 'directory',
    pattern: /^[^\0]+$/,
    readBy: storageRoles,
    default: './images/python',
    sentence: 'Directory that npm run image:python has filled; if there is none, python is the slower one from npm.',
  }),
} satisfies Record<string, Setting<unknown>>;
