import { choice, integer, list, proxyRoles, type Setting } from './kinds';
import { parseOrigins } from './lists';

const readBy = proxyRoles;

/** Limits of the Swift API and what it allows. */
export const swiftSettings = {
  maxFileSize: integer('MAX_FILE_SIZE', {
    readBy,
    min: 1,
    default: 5_368_709_122,
    sentence: 'Largest object in bytes; larger ones get 413.',
  }),
  maxMetaNameLength: integer('MAX_META_NAME_LENGTH', {
    readBy,
    min: 1,
    max: 1024,
    default: 128,
    sentence: 'Longest metadata name in bytes, without its prefix.',
  }),
  maxMetaValueLength: integer('MAX_META_VALUE_LENGTH', {
    readBy,
    min: 1,
    max: 8192,
    default: 256,
    sentence: 'Longest metadata value in bytes.',
  }),
  maxMetaCount: integer('MAX_META_COUNT', {
    readBy,
    min: 0,
    max: 1000,
    default: 90,
    sentence: 'Most metadata pairs of an account, container or object.',
  }),
  maxMetaOverallSize: integer('MAX_META_OVERALL_SIZE', {
    readBy,
    min: 0,
    max: 32_768,
    default: 4096,
    sentence: 'Most bytes of all metadata names and values together.',
  }),
  maxHeaderSize: integer('MAX_HEADER_SIZE', {
    readBy,
    min: 1024,
    max: 32_768,
    default: 8192,
    sentence: 'Longest header line of a request in bytes.',
  }),
  maxObjectNameLength: integer('MAX_OBJECT_NAME_LENGTH', {
    readBy,
    min: 1,
    max: 4096,
    default: 1024,
    sentence: 'Longest object name in bytes.',
  }),
  maxContainerNameLength: integer('MAX_CONTAINER_NAME_LENGTH', {
    readBy,
    min: 1,
    max: 1024,
    default: 256,
    sentence: 'Longest container name in bytes.',
  }),
  maxAccountNameLength: integer('MAX_ACCOUNT_NAME_LENGTH', {
    readBy,
    min: 1,
    max: 1024,
    default: 256,
    sentence: 'Longest account name in bytes.',
  }),
  accountListingLimit: integer('ACCOUNT_LISTING_LIMIT', {
    readBy,
    min: 1,
    max: 100_000,
    default: 10_000,
    sentence: 'Most containers in one page of a listing.',
  }),
  containerListingLimit: integer('CONTAINER_LISTING_LIMIT', {
    readBy,
    min: 1,
    max: 100_000,
    default: 10_000,
    sentence: 'Most objects in one page of a listing.',
  }),
  symloopMax: integer('SYMLOOP_MAX', {
    readBy,
    min: 1,
    max: 100,
    default: 2,
    sentence: 'Symlinks in a row that a read follows (symloop_max).',
  }),
  readOnlyAccounts: list('READ_ONLY_ACCOUNTS', {
    readBy,
    type: 'account;…',
    defaultText: '',
    parseAll: (entries) => entries,
    sentence: 'Accounts such as AUTH_test in which nothing may be written, with 405; * stands for all.',
  }),
  readOnlyDeletes: choice('READ_ONLY_DELETES', {
    readBy,
    of: ['no', 'yes'],
    default: 'no',
    sentence: 'Whether what stands in read-only accounts may be deleted all the same.',
  }),
  corsAllowOrigins: list('CORS_ALLOW_ORIGINS', {
    type: 'origin;…',
    readBy,
    defaultText: '',
    parseAll: parseOrigins,
    sentence: 'Web origins (or *) whose scripts may use every account and container, besides those a container names.',
  }),
} satisfies Record<string, Setting<unknown>>;
