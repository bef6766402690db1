import { HttpError } from '../errors';

/** What a program that was never started reports as its accounting line. */
export const emptyCdr = '0.0 0.0 0 0 0 0 0 0 0 0';

/** A fault of the job description: 400 with exactly this sentence. */
export function badJob(text: string): HttpError {
  return new HttpError(400, text);
}

/** Wrong JSON types and whatever else the description's own sentences do not cover. */
export function internalParserError(): HttpError {
  return badJob('Config parser internal error');
}

/** A valid wish that this server cannot fulfil; refused, so that nobody takes silence for consent. */
export function notSupported(text: string): HttpError {
  return new HttpError(501, text);
}

/** A fault found before a node's program started: it answers the whole job, with the `X-Nexe-*` headers of that node alone. */
export function nodeNotRun(node: string, status: number, text: string, cause?: unknown): HttpError {
  return new HttpError(status, text, {
    cause,
    headers: {
      'x-nexe-system': headerText(node),
      'x-nexe-status': 'ZeroVM did not run',
      'x-nexe-retcode': '0',
      'x-nexe-etag': '',
      'x-nexe-validation': '0',
      'x-nexe-cdr-line': emptyCdr,
      'x-nexe-policy': '',
      'x-nexe-colocated': '0',
      'x-nexe-error': headerText(text),
    },
  });
}

/** Any text as a header value: UTF-8 bytes in Latin-1 clothes, as WSGI sends them, and without line ends. */
export function headerText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return Buffer.from(text.replace(/[\x00-\x1f\x7f]+/g, ' '), 'utf8').toString('latin1');
}
