import { existsSync } from 'node:fs';
import type { SwiftContext } from '../context';

/** Load balancers ask this; the store is not touched. While the file exists they are told to go elsewhere. */
export function healthRoute(disableFile: string | undefined): (ctx: SwiftContext) => void {
  const fine = Buffer.from('OK');
  const disabled = Buffer.from('DISABLED BY FILE');
  return (ctx) => {
    const isDisabled = disableFile !== undefined && existsSync(disableFile);
    ctx.status = isDisabled ? 503 : 200;
    ctx.set('Content-Type', 'text/plain');
    ctx.body = isDisabled ? disabled : fine;
  };
}
