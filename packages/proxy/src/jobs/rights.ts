import type { ContainerPath, ContainerRecord, ObjectPath } from '@zerocloud/object-server';
import { AclSyntaxError, cleanAcl, isReferrerAllowed, parseAcl } from '../auth/acl';
import { type Access, type AccessTarget, authorizeAccount, authorizeTarget, mayControl } from '../auth/authorize';
import type { Deps, SwiftContext } from '../context';
import { HttpError } from '../errors';
import { encodeHeaderText } from '../http/header-text';
import { isReadOnly, writesDisabled } from '../middleware/read-only';
import { decodePercent } from '../swift-path';

const endpointName = 'x-container-meta-rest-endpoint';
const setUidName = 'x-container-meta-zerovm-suid';

/** The application a container names for `api` requests, decoded; `undefined` when it names none. */
export function findEndpoint(container: ContainerRecord | undefined): string | undefined {
  const text = container?.metadata[endpointName];
  return text ? (decodePercent(encodeHeaderText(text)) ?? text) : undefined;
}

/**
 * What the caller of a request may do, in its jobs and in those chained to them. Looked up once per container and kind
 * of access; owners cost nothing.
 *
 * Set-uid: an application lends its callers rights. A container takes part when its `Rest-Endpoint` names that very
 * application and its `Zerovm-Suid` ACL admits the caller; then whatever the application's job does in that container
 * is allowed. So the application's own container must take part, and every other one it touches. The application is
 * known by the URL that was really fetched, with its account written out, so that no other program, and no `~` that
 * means another account, can borrow its name.
 */
export class Rights {
  #known?: Map<string, Promise<HttpError | undefined>>;
  #ownAccount?: string;
  /** URL of the application whose set-uid containers are open. */
  #application?: string;
  /** The account in which set-uid lets the caller run jobs. */
  #lentAccount?: string;

  constructor(
    private readonly ctx: SwiftContext,
    private readonly deps: Deps,
  ) {}

  /** True where the caller may do anything. */
  isFree({ account }: ContainerPath): boolean {
    if (isReadOnly(this.deps.config.readOnly, account)) return false;
    if (account === this.#ownAccount) return true;
    if (!mayControl(this.ctx.state, account)) return false;
    this.#ownAccount = account;
    return true;
  }

  /**
   * Refuses unless the caller may read the application at `path`, which the request spelled `source`. From then on its
   * set-uid containers are open.
   */
  async admitApplication(source: string, path: ObjectPath): Promise<void> {
    const container = await this.deps.node.findContainer(path);
    const url = `swift://${path.account}/${path.container}/${path.object}`;
    if (source === url && findEndpoint(container) === url) this.#application = url;
    await this.demand(path, 'read');
  }

  /** Refuses unless the caller may run jobs in the account; `lender` is the container whose set-uid may allow it. */
  async demandExecution(account: string, lender: ContainerPath | undefined): Promise<void> {
    if (this.isFree({ account, container: '' })) return;
    try {
      await authorizeAccount(this.ctx, this.deps, account, 'admin');
    } catch (error) {
      // A container of another account cannot lend what is not its owner's.
      if (!(error instanceof HttpError) || lender?.account !== account || !(await this.#isLent(lender))) throw error;
      this.#lentAccount = account;
    }
  }

  findDenial(path: AccessTarget, access: Access): Promise<HttpError | undefined> {
    if (access === 'write' && isReadOnly(this.deps.config.readOnly, path.account)) {
      return Promise.resolve(writesDisabled());
    }
    const kind = path.object === undefined ? 'list' : access;
    const key = `${kind} ${path.account}\0${path.container}`;
    this.#known ??= new Map();
    let denial = this.#known.get(key);
    if (!denial) {
      denial = this.#ask(path, access);
      this.#known.set(key, denial);
    }
    return denial;
  }

  /** Without `object`: the container's listing. */
  async demand(path: AccessTarget, access: Access): Promise<void> {
    if (this.isFree(path)) return;
    const denial = await this.findDenial(path, access);
    if (denial) throw denial;
  }

  /**
   * The same without anything lent: for what the caller of an application names, not the application. Lent rights would let
   * strangers choose what it reads, or have its answer put in its own place.
   */
  async demandOwn(path: AccessTarget, access: Access): Promise<void> {
    if (this.isFree(path)) return;
    if (access === 'write' && isReadOnly(this.deps.config.readOnly, path.account)) throw writesDisabled();
    await authorizeTarget(this.ctx, this.deps, path, access);
  }

  /** Refuses unless the caller may list the account's containers; who runs a lent application in it may. */
  async demandAccountListing(account: string): Promise<void> {
    if (account !== this.#lentAccount) await authorizeAccount(this.ctx, this.deps, account, 'read-only');
  }

  async #ask(path: AccessTarget, access: Access): Promise<HttpError | undefined> {
    try {
      await authorizeTarget(this.ctx, this.deps, path, access);
      return undefined;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return (await this.#isLent(path)) ? undefined : error;
    }
  }

  async #isLent(path: ContainerPath): Promise<boolean> {
    if (this.#application === undefined) return false;
    const container = await this.deps.node.findContainer(path);
    return findEndpoint(container) === this.#application && this.#admits(container?.metadata[setUidName]);
  }

  /** ACL syntax; `.r:*` alone admits everybody, with or without `.rlistings`. */
  #admits(text: string | undefined): boolean {
    if (!text) return false;
    const { identity } = this.ctx.state;
    try {
      const acl = parseAcl(cleanAcl('x-container-read', text));
      if (isReferrerAllowed(this.ctx.get('referer'), acl.referrers)) return true;
      return identity?.groups.some((group) => acl.groups.includes(group)) ?? false;
    } catch (error) {
      if (error instanceof AclSyntaxError) return false;
      throw error;
    }
  }
}
