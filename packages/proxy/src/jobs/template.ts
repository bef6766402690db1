import type { Query } from '../http/query';

/** Name of the variable that no query can set: the URL of the object. */
const objectPathName = 'object_path';

const variable = /\{\.([^{}=]+)(?:=([^{}]*))?\}/g;

/**
 * Fills in a job template: `{.name}` and `{.name=default}` become the query's parameter, else the default, else nothing;
 * `{.object_path}` is the URL of the object. Values stand inside JSON texts, so they are escaped as such: nobody gets
 * out of his quotes. Throws 400 for values that are no UTF-8.
 */
export function fillTemplate(template: string, query: Query, objectUrl: string): string {
  return template.replace(variable, (_, name: string, fallback: string | undefined) => {
    if (name === objectPathName) return escapeJson(objectUrl);
    const value = query.get(name);
    return value === undefined ? (fallback ?? '') : escapeJson(value);
  });
}

function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
