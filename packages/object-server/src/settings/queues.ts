import { choice, integer, proxyRoles, type Setting } from './kinds';

const readBy = proxyRoles;
const day = 86_400;

/** Limits of message queues. */
export const queueSettings = {
  maxMessageBytes: integer('MAX_MESSAGE_SIZE', {
    readBy,
    min: 1,
    max: 1024 ** 2,
    default: 65_536,
    sentence: 'Largest message of a queue in bytes (max_message_size).',
  }),
  maxMessageTtlS: integer('MAX_MESSAGE_TTL_S', {
    readBy,
    min: 1,
    max: 10 * 365 * day,
    default: 3600,
    sentence: 'Seconds a message stays in its queue at most, and by default (max_message_ttl).',
  }),
  maxMessageListing: integer('MAX_MESSAGE_LISTING_LIMIT', {
    readBy,
    min: 1,
    max: 10_000,
    default: 1000,
    sentence: 'Most messages of one listing of a queue (max_message_listing_limit).',
  }),
  maxClaimCount: integer('MAX_CLAIM_LIMIT', {
    readBy,
    min: 1,
    max: 1000,
    default: 10,
    sentence: 'Most messages of one claim (max_claim_limit).',
  }),
  maxClaimTtlS: integer('MAX_CLAIM_TTL_S', {
    readBy,
    min: 1,
    max: 365 * day,
    default: 60,
    sentence: 'Seconds a claim holds its messages at most, and by default (max_claim_ttl).',
  }),
  queueStoragePolicy: choice('QUEUE_STORAGE_POLICY', {
    readBy,
    of: ['Policy-0', 'relaxed'],
    default: 'Policy-0',
    sentence: 'Storage policy of new message queues (queue_storage_policy).',
  }),
} satisfies Record<string, Setting<unknown>>;
