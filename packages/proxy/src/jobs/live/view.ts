import type { NodeDaemon } from '@zerocloud/object-server';
import type { LiveJob, LiveNode } from './live-job';

/** A job as JSON; the nodes are only counted. */
export function jobView(job: LiveJob): Record<string, unknown> {
  return {
    id: job.id,
    user: job.user,
    state: job.state,
    status: job.status,
    step: job.step,
    created: isoTime(job.createdMs),
    started: isoTime(job.startedMs),
    ended: isoTime(job.endedMs),
    nodes: { total: job.nodes.length, ...job.counts },
    bytes_read: job.readBytes,
    bytes_written: job.writtenBytes,
  };
}

/** One node as JSON. `index` is its place in the job. */
export function nodeView(node: LiveNode, index: number): Record<string, unknown> {
  return {
    index,
    name: node.name,
    state: node.state,
    status: node.status,
    report: node.report,
    exit_code: node.exitCode,
    cached: node.isCached,
    started: isoTime(node.startedMs),
    ended: isoTime(node.endedMs),
    bytes_read: node.readBytes,
    bytes_written: node.writtenBytes,
  };
}

/** A kept application as JSON. */
export function daemonView(daemon: NodeDaemon): Record<string, unknown> {
  return {
    application: daemon.place,
    modules: daemon.modules,
    bytes: daemon.sizeBytes,
    made: isoTime(daemon.madeMs),
    last_used: isoTime(daemon.lastUsedMs),
    sessions: daemon.sessionCount,
  };
}

function isoTime(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
