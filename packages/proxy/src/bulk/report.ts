import { HttpError, htmlType, reasonOf } from '../errors';
import { pythonJson } from '../http/python-json';
import { findAcceptedType, type ListingType } from '../listing/format';

/** One thing that went wrong: a percent-encoded name and a status or sentence. */
export type BulkError = [name: string, problem: string];

/** What is told besides the errors, by the names of Swift's answers: `Response Status`, `Number Deleted` … */
export type BulkFields = Record<string, string | number>;

/**
 * The form in which a client wants the outcome of a bulk request; `undefined` when there is none it accepts, or its
 * header cannot be read.
 */
export function findReportType(accept: string | undefined): ListingType | undefined {
  try {
    return findAcceptedType(accept);
  } catch (error) {
    if (error instanceof HttpError) return undefined;
    throw error;
  }
}

/** Content-Type of an answer whose body is a report. */
export function reportContentType(type: ListingType | undefined): string {
  return type ?? htmlType;
}

/** `get_response_body` of swift/common/middleware/bulk.py. XML comes without its declaration. */
export function renderReport(
  type: ListingType | undefined,
  fields: BulkFields,
  errors: BulkError[],
  root: string,
): Buffer {
  if (type === 'application/json') return Buffer.from(pythonJson({ ...fields, Errors: errors }));
  const names = Object.keys(fields).sort();
  if (type?.endsWith('/xml')) {
    const rows = names.map((name) => {
      const tag = name.replaceAll(' ', '_').toLowerCase();
      return `<${tag}>${escapeXml(String(fields[name]))}</${tag}>\n`;
    });
    const objects = errors.map(
      ([name, problem]) => `<object><name>${escapeXml(name)}</name><status>${escapeXml(problem)}</status></object>\n`,
    );
    return Buffer.from(`<${root}>\n${rows.join('')}<errors>\n${objects.join('')}</errors>\n</${root}>\n`);
  }
  const rows = names.map((name) => `${name}: ${fields[name]}\n`);
  const lines = errors.map(([name, problem]) => `${name}, ${problem}\n`);
  return Buffer.from(`${rows.join('')}Errors:\n${lines.join('')}`);
}

/** `404 Not Found`. */
export function statusText(status: number): string {
  return `${status} ${reasonOf(status)}`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
