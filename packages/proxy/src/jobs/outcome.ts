import type { Readable } from 'node:stream';
import type { MessageHead, NodeOutput, NodeResult, StorageError, StorageErrorCode } from '@zerocloud/object-server';
import type { Accounting } from '@zerocloud/sandbox';
import { reasonOf } from '../errors';
import { decodeHeaderTextLossless } from '../http/header-text';
import { policyOf } from '../policies/policies';
import type { DeniedOutput } from './authorise';
import { emptyCdr } from './errors';
import type { PlannedNode } from './plan';
import { returnedContentType } from './session';
import { pathText } from './urls';

/** What one node contributes to the response. */
export interface NodeOutcome {
  node: PlannedNode;
  status: number;
  state: string;
  exitCode: number;
  etag: string;
  validation: number;
  accounting: string;
  /** The node's own time and its accounting, as in X-Nexe-Cdr-Line and in the log. */
  cdr: string;
  /** Counters of the session, if it had any. */
  usage?: Accounting;
  error?: string;
  /** Why a program was refused, or had no daemon. */
  detail?: string;
  /** It started from a daemon. */
  isCached?: boolean;
  /** Storage policy of the local object, or where nodes without one run; absent if it never ran. */
  policy?: string;
  returned?: ReturnedOutput;
}

/** The one output of a node that is part of the response. */
export interface ReturnedOutput {
  device?: string;
  contentType: string;
  sizeBytes: number;
  body: Buffer | Readable;
  /** Of an HTTP message. */
  headers?: MessageHead['headers'];
}

/** Statuses a PUT would have answered with; what is not listed is a failure of the server. */
const putStatuses: Partial<Record<StorageErrorCode, number>> = {
  containerNotFound: 404,
  accountNotFound: 404,
  accountDeleted: 410,
  archiveNotFound: 412,
  objectTooLarge: 413,
  insufficientStorage: 507,
  unavailable: 503,
  badMetadata: 400,
};

/** Joins the report of a session that ran, the fate of its outputs and the caller's rights. */
export function outcomeOf(node: PlannedNode, result: NodeResult, denied: DeniedOutput | undefined): NodeOutcome {
  const { report } = result;
  const returned = findReturnedOutput(result.outputs);
  const accounting = accountingLine(report.accounting);
  const outcome: NodeOutcome = {
    node,
    status: 200,
    state: report.state,
    exitCode: report.exitCode,
    etag: report.etags.map(({ name, md5 }) => `${name} ${md5}`).join(' ') || 'disabled',
    validation: report.validation,
    accounting,
    cdr: `${(report.elapsedMs / 1000).toFixed(3)}, ${accounting}`,
    usage: report.accounting,
    detail: report.detail,
    isCached: report.daemon,
    policy: policyOf(report),
    returned: returned && returnedOutput(node, returned),
  };
  if (report.code !== 0) fail(outcome, 500, 'bad return code');
  outcome.status = returned?.message?.status ?? outcome.status;
  for (const { device, refused } of result.outputs) {
    if (!refused) continue;
    const path = node.objects[node.group.devices.findIndex(({ name }) => name === device)]!;
    failPut(outcome, putStatuses[refused] ?? 500, pathText(path));
  }
  if (denied) failPut(outcome, denied.status, pathText(denied.path));
  return outcome;
}

/** A guest that the host lost: its message takes the place of its output. */
export function lostOutcome(node: PlannedNode, error: StorageError): NodeOutcome {
  const text = `ERROR OBJ.QUERY retcode=Killed,  zerovm_stdout=${error.message}`;
  const body = Buffer.from(text);
  return {
    node,
    status: 500,
    state: 'ZeroVM runtime error',
    exitCode: 0,
    etag: '',
    validation: 0,
    accounting: emptyCdr,
    cdr: `0.000, ${emptyCdr}`,
    error: text,
    returned: { contentType: 'text/plain', sizeBytes: body.length, body },
  };
}

function fail(outcome: NodeOutcome, status: number, text: string): void {
  outcome.status = Math.max(outcome.status, status);
  outcome.error = text;
}

function failPut(outcome: NodeOutcome, status: number, path: string): void {
  fail(outcome, status, `Status ${status} ${reasonOf(status)} when putting ${path}`);
}

/** The first returned output, in channel order, that was large enough; further ones are dropped. */
function findReturnedOutput(outputs: NodeOutput[]): NodeOutput | undefined {
  let returned: NodeOutput | undefined;
  for (const output of outputs) {
    if (output.body === undefined) continue;
    if (!returned) returned = output;
    else if (!Buffer.isBuffer(output.body)) output.body.destroy();
  }
  return returned;
}

function returnedOutput({ group }: PlannedNode, { device, sizeBytes, body, message }: NodeOutput): ReturnedOutput {
  if (!message) {
    const declared = group.devices.find(({ name }) => name === device);
    return { device, contentType: declared?.contentType ?? returnedContentType, sizeBytes, body: body! };
  }
  const { headers } = message;
  const named = headers.findLast(([name, value]) => name === 'content-type' && value !== '')?.[1];
  const contentType = named === undefined ? returnedContentType : decodeHeaderTextLossless(named);
  return { device, contentType, sizeBytes, body: body!, headers };
}

function accountingLine(a: Accounting): string {
  return (
    `${a.systemSeconds.toFixed(2)} ${a.userSeconds.toFixed(2)} ${a.reads} ${a.readBytes} ${a.writes} ${a.writeBytes} ` +
    `${a.networkReads} ${a.networkReadBytes} ${a.networkWrites} ${a.networkWriteBytes}`
  );
}
