import http from 'node:http';
import net from 'node:net';

/** One request, sent to both servers as it is. */
export interface Exchange {
  /** GET by default. */
  method?: string;
  /** Path and query as they go over the wire. */
  path: string;
  /** Those without a value are not sent. */
  headers?: Record<string, string | string[] | undefined>;
  body?: string | Buffer;
  /** Who asks, `account:user`; `''` for nobody. By default the owner of the suite's account. */
  user?: string;
  /** The whole request in bytes, for what no client sends; `{token}` and `{host}` are filled in. Replaces all but `user`. */
  raw?: string;
  /** From now on `{as}` in a path or a text is this header, or element of XML, of the answer: each server has its own. */
  keep?: { as: string; header?: string; element?: string };
  /** Makes the request that is sent in the end, for signatures cover the name of the server. */
  sign?(
    request: Required<Pick<Exchange, 'method' | 'path' | 'headers'>> & Pick<Exchange, 'body'>,
    host: string,
  ): Signed;
  /** Headers that do not matter here, in lower case. */
  ignore?: string[];
  /** What of the body is compared; all of it by default. */
  show?(text: string): string;
}

export interface Signed {
  path: string;
  headers: Record<string, string | string[] | undefined>;
}

export interface Answer {
  status: number;
  reason: string;
  /** Names in lower case; several values of one name joined by a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

/** One of the two servers. */
export class Endpoint {
  readonly #tokens = new Map<string, Promise<string>>();
  readonly #kept = new Map<string, string>();

  constructor(
    readonly url: URL,
    private readonly keys: ReadonlyMap<string, string>,
  ) {}

  async send(exchange: Exchange, user: string): Promise<Answer> {
    const token = user === '' ? undefined : await this.token(user);
    if (exchange.raw !== undefined) return this.#sendRaw(exchange.raw, token ?? '');
    const { method = 'GET', keep, sign } = exchange;
    const body = typeof exchange.body === 'string' ? this.#fill(exchange.body) : exchange.body;
    const plain = { path: this.#fill(exchange.path), headers: exchange.headers ?? {} };
    const { path, headers } = sign?.({ ...plain, method, body }, this.url.host) ?? plain;
    const all: Record<string, string | string[]> = { host: this.url.host };
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) all[name] = value;
    if (token !== undefined && headers['x-auth-token'] === undefined) all['x-auth-token'] = token;
    const isChunked = Object.keys(all).some((name) => name.toLowerCase() === 'transfer-encoding');
    if (!isChunked && method !== 'GET' && method !== 'HEAD')
      all['content-length'] ??= String(Buffer.byteLength(body ?? ''));
    const answer = await new Promise<Answer>((resolve, reject) => {
      const { hostname, port } = this.url;
      const request = http.request({ hostname, port, method, path, headers: all, agent: false }, (response) => {
        collect(response).then((bytes) => resolve(toAnswer(response, bytes)), reject);
      });
      request.on('error', reject);
      request.end(body);
    });
    if (keep) this.#kept.set(keep.as, findKept(answer, keep) ?? 'none');
    return answer;
  }

  #fill(text: string): string {
    return text.replace(/\{(\w+)\}/g, (whole, name) => this.#kept.get(name) ?? whole);
  }

  token(user: string): Promise<string> {
    let token = this.#tokens.get(user);
    if (!token) {
      const headers = { 'x-auth-user': user, 'x-auth-key': this.keys.get(user) ?? '' };
      token = fetch(new URL('/auth/v1.0', this.url), { headers }).then((answer) => {
        if (!answer.ok) throw new Error(`${user} cannot log in at ${this.url}: ${answer.status}`);
        return answer.headers.get('x-auth-token')!;
      });
      this.#tokens.set(user, token);
    }
    return token;
  }

  async #sendRaw(text: string, token: string): Promise<Answer> {
    const socket = net.connect(Number(this.url.port), this.url.hostname);
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no end of the answer in ${timeoutMs} ms`)));
    socket.write(Buffer.from(text.replaceAll('{token}', token).replaceAll('{host}', this.url.host), 'latin1'));
    const bytes = await collect(socket);
    return parseAnswer(bytes);
  }
}

const timeoutMs = 20_000;

function findKept({ headers, body }: Answer, { header, element }: NonNullable<Exchange['keep']>): string | undefined {
  if (header !== undefined) return headers[header];
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(body.toString('utf8'))?.[1];
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function toAnswer({ statusCode, statusMessage, headersDistinct }: http.IncomingMessage, body: Buffer): Answer {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(headersDistinct)) headers[name] = values!.join(', ');
  return { status: statusCode!, reason: statusMessage ?? '', headers, body };
}

/** The first answer of a connection; its body is whatever follows the head. */
function parseAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end < 0 ? bytes.length : end).split('\r\n');
  const [, status = '0', reason = ''] = /^HTTP\/1\.[01] (\d+) ?(.*)$/.exec(statusLine) ?? [];
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(status), reason, headers, body: end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4) };
}
