import { STATUS_CODES } from 'node:http';

export const htmlType = 'text/html; charset=UTF-8';

/**
 * What a request is refused with: a status, the exact body Swift would send, and headers. `middleware/errors.ts` is
 * the only place that turns it into a response.
 */
export class HttpError extends Error {
  /** Body of the response: an HTML page as Swift's for `html`, else the plain text itself. */
  readonly body: string;
  readonly headers: Record<string, string>;
  /** Reason phrase of the status line. */
  readonly reason: string;

  constructor(
    readonly status: number,
    body?: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(body ?? String(status), { cause: options.cause });
    this.name = 'HttpError';
    this.reason = reasonOf(status);
    this.body = body ?? swiftErrorPage(status);
    this.headers = {
      'content-type': body === undefined ? htmlType : 'text/plain',
      ...options.headers,
    };
  }
}

/** Title and sentence of Swift's standard answers (swift/common/swob.py, RESPONSE_REASONS). */
const pages: Record<number, [title: string, sentence: string]> = {
  301: ['Moved Permanently', 'The resource has moved permanently.'],
  400: [
    'Bad Request',
    'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  ],
  401: ['Unauthorized', 'This server could not verify that you are authorized to access the document you requested.'],
  402: ['Payment Required', 'Access was denied for financial reasons.'],
  403: ['Forbidden', 'Access was denied to this resource.'],
  404: ['Not Found', 'The resource could not be found.'],
  405: ['Method Not Allowed', 'The method is not allowed for this resource.'],
  406: ['Not Acceptable', 'The resource is not available in a format acceptable to your browser.'],
  408: ['Request Timeout', 'The server has waited too long for the request to be sent by the client.'],
  409: ['Conflict', 'There was a conflict when trying to complete your request.'],
  410: ['Gone', 'This resource is no longer available.'],
  411: ['Length Required', 'Content-Length header required.'],
  412: ['Precondition Failed', 'A precondition for this request was not met.'],
  413: ['Request Entity Too Large', 'The body of your request was too large for this server.'],
  414: ['Request URI Too Long', 'The request URI was too long for this server.'],
  415: ['Unsupported Media Type', 'The request media type is not supported by this server.'],
  416: ['Requested Range Not Satisfiable', 'The Range requested is not available.'],
  417: ['Expectation Failed', 'Expectation failed.'],
  422: ['Unprocessable Entity', 'Unable to process the contained instructions'],
  431: ['Request Header Fields Too Large', 'The headers of your request were too large for this server.'],
  498: ['Rate Limited', 'Slow down'],
  499: ['Client Disconnect', 'The client was disconnected during request.'],
  500: ['Internal Error', 'The server has either erred or is incapable of performing the requested operation.'],
  501: ['Not Implemented', 'The requested method is not implemented by this server.'],
  502: ['Bad Gateway', 'Bad gateway.'],
  503: ['Service Unavailable', 'The server is currently unavailable. Please try again at a later time.'],
  504: ['Gateway Timeout', 'A timeout has occurred speaking to a backend server.'],
  507: ['Insufficient Storage', 'There was not enough space to save the resource. Drive: unknown'],
};

/** Reason phrase of Swift's status line. */
export function reasonOf(status: number): string {
  return pages[status]?.[0] ?? STATUS_CODES[status] ?? 'Unknown';
}

/** Title and sentence of a status, as two lines: Swift's answers tell it so where they are no page. */
export function pageText(status: number): string {
  return (pages[status] ?? ['']).join('\n');
}

function swiftErrorPage(status: number): string {
  const page = pages[status];
  return page ? `<html><h1>${page[0]}</h1><p>${page[1]}</p></html>` : '';
}
