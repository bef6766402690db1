import { createHash, createHmac, randomBytes } from 'node:crypto';
import { presign, type Signer, signHeaders } from '../support/s3';
import { differential, type Suite, type SuiteOptions } from './differential';
import { Endpoint, type Exchange, type Signed } from './exchange';

/** How a request of S3 is sent. */
export interface S3Options extends Signer {
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Signature version 4 in the headers by default; the others are version 2, and URLs that carry theirs. */
  form?: 'v4' | 'v2' | 'url' | 'url-v2';
  /** Of a URL: seconds for version 4, a time for version 2. */
  expires?: string;
  /** Changes what was signed. */
  spoil?(signed: Signed): Signed;
  keep?: Exchange['keep'];
  ignore?: string[];
}

export interface S3Suite extends Suite {
  /** The path of a bucket, or of what is in it, whose name no other suite and no other run has. */
  in(path: string): string;
  /** What stands before the names of this suite's buckets. */
  prefix: string;
}

const owner = 'test:tester';
const keys = new Map([[owner, 'testing']]);

/** Suites of S3 work in the account of the user `test:tester`, on both servers, and remove their buckets. */
export function s3Differential(name: string, declare: (suite: S3Suite) => void, options: SuiteOptions = {}): void {
  const prefix = `d${randomBytes(4).toString('hex')}-`;
  differential(
    name,
    (suite) => {
      declare({ ...suite, prefix, in: (path) => `/${prefix}${path}` });
      afterAll(() => removeBuckets(prefix));
    },
    // As Swift has it; ours takes more.
    { ...options, env: { S3_MAX_UPLOAD_PARTS: '1000', ...options.env } },
  );
}

/** A request of S3, signed for each of the servers. */
export function s3(method: string, path: string, options: S3Options = {}): Exchange {
  const { headers, body, keep, ignore = [], spoil } = options;
  return {
    method,
    path,
    headers,
    body,
    keep,
    // AWS tells of ranges, Swift's s3api takes the header away.
    ignore: ['accept-ranges', ...ignore],
    user: '',
    sign(request, host) {
      const signed = forms[options.form ?? 'v4']({ ...request, headers: headers ?? {} }, host, options);
      return spoil ? spoil(signed) : signed;
    },
  };
}

/** Both ways of reading. */
export function reads(path: string, options: S3Options = {}): Exchange[] {
  return ['GET', 'HEAD'].map((method) => s3(method, path, options));
}

export function md5Of(body: string | Buffer): string {
  return createHash('md5').update(body).digest('base64');
}

interface Plain {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
}

type Form = (request: Plain, host: string, options: S3Options) => Signed;

const forms: Record<NonNullable<S3Options['form']>, Form> = {
  v4(request, host, options) {
    const signed = signHeaders(host, { ...request, ...splitPath(request.path) }, options);
    return { path: request.path, headers: signed };
  },
  url(request, host, options) {
    const [hostname, port] = host.split(':') as [string, string];
    const server = { url: '', host: hostname, port: Number(port) };
    return { path: presign(server, { ...request, ...splitPath(request.path) }, options), headers: request.headers };
  },
  v2({ method, path, headers }, _host, options) {
    const date = headers.date ?? new Date(options.atMs ?? Date.now()).toUTCString();
    const signature = signV2(method, path, { ...headers, date }, date, options);
    return { path, headers: { ...headers, date, authorization: `AWS ${options.accessKey ?? owner}:${signature}` } };
  },
  'url-v2'({ method, path, headers }, _host, options) {
    const expires = options.expires ?? String(Math.floor(Date.now() / 1000) + 60);
    const query = new URLSearchParams({
      AWSAccessKeyId: options.accessKey ?? owner,
      Expires: expires,
      Signature: signV2(method, path, headers, expires, options),
    });
    return { path: `${path}${path.includes('?') ? '&' : '?'}${query}`, headers };
  },
};

function splitPath(path: string): { path: string; query: Record<string, string> } {
  const question = path.indexOf('?');
  if (question < 0) return { path, query: {} };
  const pairs = path.slice(question + 1).split('&');
  const query = pairs.map((pair) => {
    const equals = pair.indexOf('=');
    return (equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]).map(decodeURIComponent);
  });
  return { path: path.slice(0, question), query: Object.fromEntries(query) };
}

/** Only of what the suites send in this form: the parameters that are signed have no percent in them. */
function signV2(method: string, path: string, headers: Record<string, string>, time: string, { secret }: S3Options) {
  const amz = Object.keys(headers)
    .filter((name) => name.startsWith('x-amz-'))
    .sort()
    .map((name) => `${name}:${headers[name]}\n`);
  const head = [method, headers['content-md5'] ?? '', headers['content-type'] ?? '', time].join('\n');
  return createHmac('sha1', secret ?? 'testing')
    .update(`${head}\n${amz.join('')}${path}`)
    .digest('base64');
}

async function removeBuckets(prefix: string): Promise<void> {
  const swift = new Endpoint(new URL(process.env.SWIFT_URL!), keys);
  const send = (method: string, path: string) => swift.send({ method, path: `/v1/AUTH_test${path}` }, owner);
  const list = async (container: string, parameters: string) => {
    const { status, body } = await send('GET', `/${container}?${parameters}format=json`);
    return status === 200 ? (JSON.parse(body.toString('utf8')) as { name: string; version_id?: string }[]) : [];
  };
  const buckets = (await swift.send(s3('GET', '/'), '')).body.toString('utf8').matchAll(/<Name>([^<]*)</g);
  for (const bucket of [...buckets].map(([, name]) => name!).filter((name) => name.startsWith(prefix))) {
    for (const container of [bucket, `${bucket}%2Bsegments`]) {
      for (const parameters of ['versions&', '']) {
        for (const { name, version_id } of await list(container, parameters)) {
          const version = version_id === undefined ? '' : `?version-id=${version_id}`;
          await send('DELETE', `/${container}/${encodeURIComponent(name)}${version}`);
        }
      }
      await send('DELETE', `/${container}`);
    }
  }
}
