/** Why an application cannot be run; the message is the sentence for its user. */
export class ApplicationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ApplicationError';
  }
}
