import { type WasiFunctionName, wasiFunctions, wasiModuleName } from '../wasi/functions';
import type { WasiHost, WasiImports } from '../wasi/host';

type HostFunction = (...args: unknown[]) => number;

/**
 * Imports for the instances of all sessions of a thread, which pass each call on to the host of the session in hand. The
 * engine keeps instances among its old objects until it looks at all of them; were they bound to the functions of a host, they
 * would keep everything of its session there as well, and the collector would copy all that instead of forgetting it.
 */
export class HostSwitch {
  readonly imports: WasiImports;
  private functions: Record<string, HostFunction> = {};

  constructor() {
    const forwarders = {} as WasiImports[typeof wasiModuleName];
    for (const name of Object.keys(wasiFunctions) as WasiFunctionName[]) {
      // Nine is the most that any of them takes.
      const forward: HostFunction = (a, b, c, d, e, f, g, h, i) => this.functions[name]!(a, b, c, d, e, f, g, h, i);
      forwarders[name] = forward as (typeof forwarders)[typeof name];
    }
    this.imports = { [wasiModuleName]: forwarders };
  }

  /** Whose guest runs from here on; undefined: nobody's. */
  to(host: WasiHost | undefined): void {
    this.functions = host ? (host.imports[wasiModuleName] as unknown as Record<string, HostFunction>) : {};
  }
}
