import { badJob } from './errors';
import { findJobUrl } from './urls';

/** Name of the posted script in the guest's root, of its node, and of its last argument. */
export const scriptName = 'script';

/**
 * The job that a script stands for: its interpreter with the script as argument, and as standard input the object of the
 * request's URL, if it names one, or else the payload. `line` is the first line, `#!` included.
 */
export function describeScript(line: string, account: string, stdinUrl: string | undefined): unknown {
  const [, interpreter = '', args = ''] = /^#![ \t]*(\S*)[ \t]*([\s\S]*)$/.exec(line) ?? [];
  const url = findInterpreter(interpreter, account);
  if (!url) throw badJob(`Bad interpreter ${interpreter}`);
  const devices: object[] = [{ name: 'stdout', content_type: 'text/plain' }];
  if (url.kind === 'image') {
    if (!interpreter.includes(':', 'file://'.length)) {
      throw badJob(`Must supply image name in shebang url ${interpreter}`);
    }
    devices.push({ name: url.image });
  }
  devices.push({ name: 'stdin', path: stdinUrl });
  const allArgs = `${args.trimEnd()} ${scriptName}`.trimStart();
  return [{ name: scriptName, exec: { path: interpreter, args: allArgs }, devices }];
}

function findInterpreter(text: string, account: string): ReturnType<typeof findJobUrl> {
  try {
    return findJobUrl(text, account);
  } catch {
    return undefined;
  }
}
