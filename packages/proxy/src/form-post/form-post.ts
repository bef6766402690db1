import type { Deps, Grant, Middleware, SwiftContext } from '../context';
import { reasonOf } from '../errors';
import { encodeHeaderText } from '../http/header-text';
import type { SubAnswer, Subrequests } from '../http/subrequest';
import { isJobRequest } from '../jobs/job-request';
import { encodePath } from '../objects/copy-request';
import { UploadBody } from '../objects/upload-body';
import { decodePercent, rawPathOf } from '../swift-path';
import { findSigningKeys } from '../temp-url/keys';
import { findSignature, isSignedBy } from '../temp-url/signature';
import { FormSyntaxError } from './cut-at-headers';
import { parseDisposition } from './disposition';
import {
  type FormAttributes,
  formInvalid,
  formUnauthorized,
  maxFields,
  readFormInteger,
  signedText,
  titleCase,
} from './form-attributes';
import { type FormField, type FormFile, readParts } from './multipart';

/**
 * Uploads from HTML forms, as swift/common/middleware/formpost.py has them: the owner of a container signs a form, and
 * who has it may upload files by it, without a token. Each file of the form goes to a PUT as it arrives, so nothing is
 * held. Fields count for the files behind them. Stands before the authentication, which it replaces by the signature.
 */
export function formPost(deps: Deps, subrequests: Subrequests): Middleware {
  return (ctx, next) => {
    if (ctx.method !== 'POST') return next();
    const type = ctx.req.headers['content-type'];
    if (!type?.startsWith('multipart/form-data') || isJobRequest(ctx)) return next();
    const { value, attributes } = parseDisposition(type);
    if (value !== 'multipart/form-data' || !attributes.boundary) return next();
    return new Form(ctx, deps, subrequests).answer(attributes.boundary);
  };
}

interface Outcome {
  status: number;
  message: string;
}

class Form {
  readonly #path: string;
  readonly #fields: FormAttributes = new Map();
  #fieldCount = 0;
  #fileCount = 0;
  #keys?: Promise<string[]>;

  constructor(
    private readonly ctx: SwiftContext,
    private readonly deps: Deps,
    private readonly subrequests: Subrequests,
  ) {
    this.#path = decodePercent(rawPathOf(ctx.req.url!))!;
  }

  async answer(boundary: string): Promise<void> {
    const { ctx, deps } = this;
    try {
      const body = new UploadBody(ctx.req, deps.config.timeouts);
      const outcome = await this.#takeParts(readParts(body, boundary));
      await this.#respond(outcome);
    } catch (error) {
      if (error instanceof FormSyntaxError) throw formInvalid(error.message);
      throw error;
    } finally {
      // Nobody reads the rest of a form that was refused half-way.
      if (!ctx.req.complete) ctx.res.setHeader('Connection', 'close');
    }
  }

  async #takeParts(parts: ReturnType<typeof readParts>): Promise<Outcome> {
    let outcome: Outcome | undefined;
    for await (const part of parts) {
      if (!('filename' in part)) {
        this.#takeField(part);
        continue;
      }
      this.#fileCount++;
      if (this.#fileCount > readFormInteger(this.#fields, 'max_file_count', 'max_file_count not an integer')) {
        return { status: 400, message: 'max file count exceeded' };
      }
      outcome = { status: await this.#storeFile(part), message: '' };
      if (outcome.status < 200 || outcome.status > 299) break;
    }
    return outcome ?? { status: 400, message: 'no files to process' };
  }

  #takeField({ name, value }: FormField): void {
    this.#fieldCount++;
    if (this.#fieldCount > maxFields) throw formInvalid('too many fields');
    if (name !== undefined) this.#fields.set(name.toLowerCase(), value.replace(/[\r\n]+$/, ''));
  }

  /** Status of the file's PUT. */
  async #storeFile(file: FormFile): Promise<number> {
    const keys = await this.#signingKeys();
    if (keys.length === 0) throw formUnauthorized('invalid signature');
    const maxFileSize = readFormInteger(this.#fields, 'max_file_size', 'max_file_size not an integer');
    const headers = this.#fileHeaders(file);
    const expires = readFormInteger(this.#fields, 'expires', 'expired not an integer');
    if (expires * 1000 < this.deps.now()) throw formUnauthorized('form expired');
    if (!(await this.#isSigned())) throw formUnauthorized('invalid signature');

    const capped = new CappedBody(file.body, maxFileSize);
    const answer = await this.subrequests.send(this.ctx, {
      method: 'PUT',
      url: this.#fileUrl(file.filename),
      headers,
      body: capped,
      grant: this.#grant(),
    });
    drop(answer);
    // Why a file broke off, the form knows better than the PUT.
    if (capped.failure) throw capped.failure;
    return answer.status;
  }

  #fileUrl(filename: string): string {
    const needsSlash = !this.#path.endsWith('/') && this.#path.split('/').length < 5;
    return encodePath(this.#path + (needsSlash ? '/' : '') + filename);
  }

  #fileHeaders(file: FormFile): Record<string, string> {
    const headers: Record<string, string> = {};
    for (const [field, unit] of deletionFields) {
      if (!this.#fields.has(field)) continue;
      const problem = `${field} not an integer: ${unit} required.`;
      if (!this.#fields.get(field)) throw formInvalid(problem);
      headers[field.replaceAll('_', '-')] = String(readFormInteger(this.#fields, field, problem));
    }
    const own = { 'content-type': file.contentType, 'content-encoding': file.contentEncoding };
    for (const [name, ofPart] of Object.entries(own)) {
      const field = this.#fields.get(name);
      const value = field === undefined ? ofPart : encodeHeaderText(field);
      if (value) headers[name] = value;
      else if (value === '' && name === 'content-type') headers[name] = 'application/octet-stream';
    }
    return headers;
  }

  /** Files go into the container of the form and nowhere else. */
  #grant(): Grant {
    const { account, container } = this.ctx.state.path;
    return (access, target) => access !== 'control' && target.account === account && target.container === container;
  }

  #signingKeys(): Promise<string[]> {
    const { version, account, container } = this.ctx.state.path;
    if (!container || (version !== 'v1' && version !== 'v1.0')) return Promise.resolve([]);
    this.#keys ??= findSigningKeys(this.deps, { account, container }).then((keys) => [
      ...keys.account,
      ...keys.container,
    ]);
    return this.#keys;
  }

  async #isSigned(): Promise<boolean> {
    const signature = findSignature(this.#fields.get('signature') ?? '');
    if (!signature || !this.deps.config.tempUrl.digests.includes(signature.digest)) return false;
    return isSignedBy(await this.#signingKeys(), signedText(this.#path, this.#fields), signature);
  }

  async #respond({ status, message }: Outcome): Promise<void> {
    const { ctx } = this;
    const redirect = this.#fields.get('redirect');
    // A form that nobody signed sends nobody anywhere: else every container would redirect for whoever asks.
    if (redirect && (await this.#isSigned())) {
      const joint = redirect.includes('?') ? '&' : '?';
      const location = `${redirect}${joint}status=${status}&message=${encodePath(message)}`;
      ctx.status = 303;
      ctx.message = 'See Other';
      ctx.set({
        Location: location.replace(/[^\x21-\x7e]/gu, encodeURIComponent),
        'Content-Type': 'text/html; charset=UTF-8',
      });
      ctx.body = Buffer.from(
        `<html><body><p><a href="${escaped(location)}">Click to continue...</a></p></body></html>`,
      );
      return;
    }
    const line = `${status} ${reasonOf(status)}`;
    ctx.status = status;
    ctx.message = reasonOf(status);
    ctx.set('Content-Type', 'text/plain');
    ctx.body = Buffer.from(message ? `${line}\r\nFormPost: ${titleCase(message)}` : line);
  }
}

const deletionFields = [
  ['x_delete_at', 'Unix timestamp'],
  ['x_delete_after', 'Number of seconds'],
] as const;

/** A file's body, which ends with an error as soon as it is longer than the form allows. */
class CappedBody implements AsyncIterable<Uint8Array> {
  failure?: Error;

  constructor(
    private readonly body: AsyncIterable<Buffer>,
    private readonly maxBytes: number,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let sizeBytes = 0;
    try {
      for await (const chunk of this.body) {
        sizeBytes += chunk.length;
        if (sizeBytes > this.maxBytes) throw formInvalid('max_file_size exceeded');
        yield chunk;
      }
    } catch (error) {
      this.failure = error as Error;
      throw error;
    }
  }
}

function drop({ body }: SubAnswer): void {
  if (!Buffer.isBuffer(body)) body.destroy();
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
