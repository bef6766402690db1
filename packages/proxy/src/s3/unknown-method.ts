import { S3Error } from './errors';
import { renderError } from './xml';

/** The answer to a method that is none of HTTP's, which no middleware ever sees. */
export function methodNotAllowedXml(): string {
  return renderError(new S3Error('MethodNotAllowed'));
}
