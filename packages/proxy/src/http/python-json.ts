/**
 * JSON as Python's `json.dumps` writes it: spaces behind commas and colons, everything but plain ASCII escaped. A
 * manifest is kept and served in this form, so that its bytes, and with them its etag, are those of Swift.
 */
export function pythonJson(value: unknown, options: { sortKeys?: boolean } = {}): string {
  if (Array.isArray(value)) return `[${value.map((item) => pythonJson(item, options)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (options.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, item]) => `${quoted(name)}: ${pythonJson(item, options)}`).join(', ')}}`;
  }
  return typeof value === 'string' ? quoted(value) : JSON.stringify(value);
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
