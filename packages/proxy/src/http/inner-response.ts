import { ServerResponse } from 'node:http';

/** The answer to a request that the server makes of itself: it may tell what never leaves the server. */
export class InnerResponse extends ServerResponse {}
