import type { ObjectPath } from '@zerocloud/object-server';
import { type Access, authorizeAccount, authorizeTarget, mayControl } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { nodeNotRun } from './errors';
import type { PlannedNode } from './plan';
import { pathText } from './urls';

/** An output the caller may not write: the program runs, and from this device on nothing of the node is kept. */
export interface DeniedOutput {
  device: number;
  status: number;
  path: ObjectPath;
}

/** Only owners of an account run jobs in it; no container's ACL grants that. */
export async function authoriseExecution(ctx: SwiftContext, deps: Deps): Promise<void> {
  const { account } = ctx.state.path;
  if (!mayControl(ctx.state, account)) await authorizeAccount(ctx, deps, account, 'admin');
}

/**
 * Checks every object of the job with the caller's rights: programs, inputs and local outputs refuse the job before
 * anything runs, other outputs only themselves, after their program ran. For owners no lookup is made. In jobs of
 * several nodes, what is named without wildcard must also exist, so that no node runs for a job that must fail.
 */
export async function authoriseNodes(
  ctx: SwiftContext,
  deps: Deps,
  nodes: PlannedNode[],
): Promise<Map<PlannedNode, DeniedOutput>> {
  const rights = new Rights(ctx, deps);
  const deniedOutputs = new Map<PlannedNode, DeniedOutput>();
  const existing = new Set<string>();
  for (const node of nodes) {
    const { group, local } = node;
    if (group.program.kind === 'object') {
      const { path } = group.program;
      if (!rights.isFree(path)) await rights.demand(path, 'read');
      if (nodes.length > 1) await checkExists(path, node, deps, existing);
    }
    for (const [index, path] of node.objects.entries()) {
      if (!path) continue;
      const access = group.devices[index]!.kind?.access === 'write' ? 'write' : 'read';
      if (!rights.isFree(path)) {
        const denial = await rights.findDenial(path, access);
        if (denial && (access === 'read' || index === local)) throw denial;
        if (denial && !deniedOutputs.has(node)) deniedOutputs.set(node, { device: index, status: denial.status, path });
      }
      const isNamed = group.devices[index]!.url?.url === `swift:/${pathText(path)}`;
      if (nodes.length > 1 && access === 'read' && isNamed) await checkExists(path, node, deps, existing);
    }
  }
  return deniedOutputs;
}

async function checkExists(path: ObjectPath, { name }: PlannedNode, deps: Deps, existing: Set<string>): Promise<void> {
  const text = pathText(path);
  if (existing.has(text)) return;
  if (!(await deps.node.findObject(path))) {
    throw nodeNotRun(name, 404, `Error 404 Not Found while fetching ${text}`);
  }
  existing.add(text);
}

/** The caller's rights, looked up once per container and kind of access. */
class Rights {
  readonly #known = new Map<string, Promise<HttpError | undefined>>();
  #ownAccount?: string;

  constructor(
    private readonly ctx: SwiftContext,
    private readonly deps: Deps,
  ) {}

  /** True where the caller may do anything. */
  isFree({ account }: ObjectPath): boolean {
    if (account === this.#ownAccount) return true;
    if (!mayControl(this.ctx.state, account)) return false;
    this.#ownAccount = account;
    return true;
  }

  findDenial(path: ObjectPath, access: Access): Promise<HttpError | undefined> {
    const key = `${access} ${path.account}\0${path.container}`;
    let denial = this.#known.get(key);
    if (!denial) {
      denial = this.#ask(path, access);
      this.#known.set(key, denial);
    }
    return denial;
  }

  async demand(path: ObjectPath, access: Access): Promise<void> {
    const denial = await this.findDenial(path, access);
    if (denial) throw denial;
  }

  async #ask(path: ObjectPath, access: Access): Promise<HttpError | undefined> {
    try {
      await authorizeTarget(this.ctx, this.deps, path, access);
      return undefined;
    } catch (error) {
      if (error instanceof HttpError) return error;
      throw error;
    }
  }
}
