import { HttpError, htmlType } from '../errors';

/** The fields of a form that came before a file, by their names in lower case. */
export type FormAttributes = Map<string, string>;

/** What Swift keeps of a field; more is cut off. */
export const maxValueBytes = 4096;
/** Fields of one form. Swift has no limit. */
export const maxFields = 1000;

/** `0` when the field is absent or empty. 400 with `problem` when it is no number. */
export function readFormInteger(attributes: FormAttributes, name: string, problem: string): number {
  const text = attributes.get(name);
  if (!text) return 0;
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw formInvalid(problem);
  return Number(text);
}

/** 400 with a sentence, as FormPost answers. */
export function formInvalid(problem: string): HttpError {
  return new HttpError(400, `FormPost: ${problem}`);
}

/** 401 with a sentence. */
export function formUnauthorized(problem: string): HttpError {
  return new HttpError(401, `FormPost: ${titleCase(problem)}`, {
    headers: { 'content-type': htmlType, 'www-authenticate': 'Swift realm="unknown"' },
  });
}

/** As Python's `str.title()`. */
export function titleCase(text: string): string {
  return text.replace(/[A-Za-z]+/g, (word) => word[0]!.toUpperCase() + word.slice(1).toLowerCase());
}

/** The text that signs a form. `path` is the decoded path that it is posted to. */
export function signedText(path: string, attributes: FormAttributes): string {
  const field = (name: string, absent: string) => attributes.get(name) || absent;
  return [
    path,
    field('redirect', ''),
    field('max_file_size', '0'),
    field('max_file_count', '0'),
    field('expires', '0'),
  ].join('\n');
}
