import path from 'node:path';

/** What `zerovm` was asked for. */
export interface ZerovmOptions {
  manifest: string;
  skipValidation: boolean;
  checkOnly: boolean;
  /** 0 standard output, 1 system log, 2 no final report. */
  reportTo: 0 | 1 | 2;
  /** 0 to 3. */
  verbosity: number;
  tracePath?: string;
}

export const zerovmUsage = `Usage: zerovm [options] <manifest>
Runs one untrusted program, which sees nothing but the channels of the manifest, and prints a report.

 -s         report the program as not validated (the engine checks it anyway)
 -F         check the manifest, the program and the channels, then stop
 -P         do not preallocate writable files (they never are)
 -Q         skip the platform self-test (there is none)
 -t <n>     report to: 0 standard output (default), 1 system log, 2 nowhere
 -v <n>     tell more on standard error: 0 (default) to 3
 -T <file>  append a trace of the session; an absolute path
 -M <file>  the manifest (obsolete)
`;

export const zerovmHelp = `${zerovmUsage}
A manifest that copies one file into another:

  Version = 20130611
  Program = /home/me/cat.wasm
  Memory = 67108864,0
  Timeout = 10
  Channel = /home/me/in.txt,/dev/stdin,0,0,1000,1000000,0,0
  Channel = /home/me/out.txt,/dev/stdout,0,1,0,0,1000,1000000
  Channel = /dev/stderr,/dev/stderr,0,0,0,0,100,10000

A channel is <path>,<name in the guest>,<type>,<checksum 0|1>,<reads>,<bytes read>,<writes>,<bytes written>.
Type 0 is sequential, 1 reads at random and appends, 3 is random. The report has six lines: validation, daemon, the
program's exit code, checksums, accounting, state. The exit code is 0 when the session ended regularly, 4 after a
timeout or a trap, 8 for an unacceptable program, 14 for a bad manifest. \`zvsh\` writes manifests for you.
`;

/** The options, or undefined for what only the usage text answers. */
export function findZerovmOptions(argv: readonly string[]): ZerovmOptions | undefined {
  const options: ZerovmOptions = { manifest: '', skipValidation: false, checkOnly: false, reportTo: 0, verbosity: 0 };
  const manifests: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      manifests.push(...rest.splice(0));
    } else if (!word.startsWith('-') || word === '-') {
      manifests.push(word);
    } else if (!takeLetters(word.slice(1), rest, options, manifests)) {
      return undefined;
    }
  }
  const [manifest] = manifests;
  return manifest !== undefined && manifests.length === 1 ? { ...options, manifest } : undefined;
}

/** One word of options, as getopt reads it: letters, the last of which may have a value behind it or in the next word. */
function takeLetters(letters: string, rest: string[], options: ZerovmOptions, manifests: string[]): boolean {
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at]!;
    if (letter === 's') options.skipValidation = true;
    else if (letter === 'F') options.checkOnly = true;
    else if (letter !== 'P' && letter !== 'Q') {
      const value = letters.slice(at + 1) || rest.shift();
      return value !== undefined && takeValue(letter, value, options, manifests);
    }
  }
  return true;
}

function takeValue(letter: string, value: string, options: ZerovmOptions, manifests: string[]): boolean {
  switch (letter) {
    case 't':
      if (value !== '0' && value !== '1' && value !== '2') return false;
      options.reportTo = Number(value) as ZerovmOptions['reportTo'];
      return true;
    case 'v':
      if (!/^[0-3]$/.test(value)) return false;
      options.verbosity = Number(value);
      return true;
    case 'T':
      options.tracePath = value;
      return path.isAbsolute(value);
    case 'M':
      manifests.push(value);
      return true;
    default:
      return false;
  }
}
