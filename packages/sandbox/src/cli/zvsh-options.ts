/** What `zvsh` was asked for. */
export interface ZvshOptions {
  images: ImageOption[];
  debug: boolean;
  trace: boolean;
  verbosity?: number;
  /** Exit with the hypervisor's code instead of the program's. */
  getrc: boolean;
  saveDir?: string;
  /** The program and its arguments. */
  command: string;
  args: string[];
}

export interface ImageOption {
  /** Path of a tar, or name of an installed system image. */
  source: string;
  /** Only the name of an installed image: a file of that name in the current directory is not meant. */
  isName?: boolean;
  mountPoint: string;
  access: string;
}

export type ZvshRequest =
  | { kind: 'run'; options: ZvshOptions }
  | { kind: 'help' }
  | { kind: 'list-images' }
  | { kind: 'export-image'; image: string; file: string };

/** Wrong options: the sentence behind the usage line. */
export class UsageError extends Error {}

export const zvshUsage = `usage: zvsh [options] COMMAND [arguments...]
       zvsh --zvm-list-images
       zvsh --zvm-export-image NAME FILE
`;

export const zvshHelp = `${zvshUsage}
Runs one program in the sandbox, with files of yours as its channels.

COMMAND is the path of a WebAssembly (WASI) program, or the name of a program in one of the images.
Arguments are passed on as they are, but for:
  @FILE           the file becomes a channel; the program sees its name there
                  (created if missing, writable if you may write it)
  @NAME=value     sets an environment variable (capitals, digits, underscores)

options:
  --zvm-image PATH[,MOUNT[,ACCESS]]
                  mount a tar archive, or an installed image by its name
                  (at /, ro); with wo the directory MOUNT is saved to PATH
                  when the program ends; may be repeated
  --zvm-save-dir DIR
                  keep manifest.1, nvram.1, boot.1 there, to edit and run with
                  zerovm; the program then writes to the FIFOs stdout.1 and
                  stderr.1, which somebody must read
  --zvm-getrc     exit with the code of the hypervisor, not of the program
  --zvm-debug     log the program's calls to zvsh.log (see --zvm-verbosity)
  --zvm-verbosity N
                  which calls: 0 none, 1 failed ones, 2 also paths, 3 all
  --zvm-trace     append a trace of the session to zvsh.trace.log
  --zvm-list-images
                  list the installed images
  --zvm-export-image NAME FILE
                  write an installed image as a tar archive
  -h, --help      this text

examples:
  zvsh prog.wasm one two                         run a program
  zvsh prog.wasm @data.txt @LANG=C               give it a file and a variable
  zvsh --zvm-image python python @hello.py       Python, from the installed image
  zvsh --zvm-image javascript qjs @hello.js      JavaScript
  zvsh --zvm-export-image python python.tar      the same from an archive:
  zvsh --zvm-image python.tar python @hello.py @data.txt
  echo 'print(6*7)' | zvsh --zvm-image python python -
  zvsh --zvm-save-dir run --zvm-image python python @hello.py
  cat run/stdout.1 & zerovm run/manifest.1       the same again, from its manifest

The exit code is the program's, together with the hypervisor's four bits further left.
`;

/** Throws `UsageError`. Options end with COMMAND; what follows is the program's. */
export function parseZvshOptions(argv: readonly string[]): ZvshRequest {
  const options: ZvshOptions = { images: [], debug: false, trace: false, getrc: false, command: '', args: [] };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (!word.startsWith('-')) return { kind: 'run', options: { ...options, command: word, args: rest } };
    const equals = word.startsWith('--') ? word.indexOf('=') : -1;
    const name = equals < 0 ? word : word.slice(0, equals);
    const take = (what: string): string => {
      const value = equals < 0 ? rest.shift() : word!.slice(equals + 1);
      if (value === undefined || value === '') throw new UsageError(`option ${name} needs ${what}`);
      return value;
    };
    if (equals >= 0 && isFlag(name)) throw new UsageError(`option ${name} has no value`);
    switch (name) {
      case '-h':
      case '--help':
        return { kind: 'help' };
      case '--zvm-list-images':
        return { kind: 'list-images' };
      case '--zvm-export-image': {
        const image = take('a name and a file');
        const file = rest.shift();
        if (file === undefined) throw new UsageError(`option ${name} needs a name and a file`);
        return { kind: 'export-image', image, file };
      }
      case '--zvm-image':
        options.images.push(parseImage(take('a path')));
        break;
      case '--zvm-debug':
        options.debug = true;
        break;
      case '--zvm-trace':
        options.trace = true;
        break;
      case '--zvm-getrc':
        options.getrc = true;
        break;
      case '--zvm-save-dir':
        options.saveDir = take('a directory');
        break;
      case '--zvm-verbosity': {
        const value = take('a number');
        if (!/^[0-4]$/.test(value)) throw new UsageError(`option ${name}: '${value}' is not a number from 0 to 4`);
        options.verbosity = Number(value);
        break;
      }
      default:
        throw new UsageError(`unknown option ${name}`);
    }
  }
  throw new UsageError('too few arguments: COMMAND is missing');
}

function isFlag(name: string): boolean {
  return ['-h', '--help', '--zvm-list-images', '--zvm-debug', '--zvm-trace', '--zvm-getrc'].includes(name);
}

/** `PATH[,MOUNT[,ACCESS]]`. */
export function parseImage(text: string): ImageOption {
  const [source, mountPoint = '/', access = 'ro', ...more] = text.split(',');
  if (!source || more.length > 0) throw new UsageError(`image '${text}' is not PATH[,MOUNT[,ACCESS]]`);
  checkMount(text, mountPoint, access);
  return { source, mountPoint, access };
}

/** `ro`: the program may change its copy, which ends with it. `wo`: the directory is saved at its end. Throws `UsageError`. */
export function checkMount(what: string, mountPoint: string, access: string): void {
  if (!mountPoint.startsWith('/') || mountPoint.includes('=')) {
    throw new UsageError(`image '${what}': mount point ${mountPoint} is not an absolute path`);
  }
  if (access !== 'ro' && access !== 'wo') {
    throw new UsageError(`image '${what}': access ${access} is not supported, only ro and wo`);
  }
  if (access === 'wo' && /^\/+$/.test(mountPoint)) throw new UsageError(`image '${what}': the root cannot be saved`);
}
