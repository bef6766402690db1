import { HttpError, htmlType } from '../errors';
import { decodePercent, rawQueryOf } from '../swift-path';

/** The parameters of a request target. A value is decoded when it is asked for, so that only a used one can be wrong. */
export class Query {
  readonly #raw = new Map<string, string>();

  constructor(url: string) {
    const query = rawQueryOf(url);
    if (query === '') return;
    for (const part of query.split('&', maxParameters)) {
      const equals = part.indexOf('=');
      const name = equals < 0 ? part : part.slice(0, equals);
      // The last one counts, as in Swift.
      this.#raw.set(decodePlus(name) ?? name, equals < 0 ? '' : part.slice(equals + 1));
    }
  }

  has(name: string): boolean {
    return this.#raw.has(name);
  }

  /** The decoded value; `undefined` when absent. 400 when it is not UTF-8. */
  get(name: string): string | undefined {
    const raw = this.#raw.get(name);
    if (raw === undefined) return undefined;
    const value = decodePlus(raw);
    if (value === undefined) {
      throw new HttpError(400, `"${name}" parameter not valid UTF-8`, { headers: { 'content-type': htmlType } });
    }
    return value;
  }
}

const maxParameters = 1000;

function decodePlus(text: string): string | undefined {
  return decodePercent(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

const trueValues = new Set(['true', '1', 'yes', 'on', 't', 'y']);

/** Swift's `config_true_value`: how a header or a parameter says yes. */
export function isTrueValue(value: string | string[] | undefined): boolean {
  return value !== undefined && trueValues.has(String(value).toLowerCase());
}
