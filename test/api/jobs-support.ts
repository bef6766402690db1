import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { type ServerOptions, startServer, type TestServer } from '../support/server';
import { assembleGuest } from '../support/wat';

export interface JobAnswer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Requests of job tests, with room for the long headers of jobs with many nodes, which `fetch` has not. */
export class JobClient {
  readonly account = '/v1/AUTH_test';

  server!: TestServer;

  /** Without a server it has none until somebody gives it one. */
  constructor(server?: TestServer) {
    if (server) this.server = server;
  }

  /** Posts a JSON job description. */
  async job(description: unknown, headers: Record<string, string> = {}, target = this.account): Promise<JobAnswer> {
    return this.post(JSON.stringify(description), { 'content-type': 'application/json', ...headers }, target);
  }

  /** Posts a script. */
  script(text: string, target = this.account): Promise<JobAnswer> {
    return this.post(text, { 'content-type': 'application/python' }, target);
  }

  async post(body: string | Buffer, headers: Record<string, string>, target = this.account): Promise<JobAnswer> {
    return this.send('POST', target, { 'x-zerovm-execute': '1.0', ...headers }, body);
  }

  async send(
    method: string,
    target: string,
    headers: Record<string, string> = {},
    body?: string | Buffer,
  ): Promise<JobAnswer> {
    const all: Record<string, string> = { 'x-auth-token': await this.server.token(), ...headers };
    if (all['x-auth-token'] === '') delete all['x-auth-token'];
    const { host, port } = this.server;
    return new Promise((resolve, reject) => {
      const request = http.request({ host, port, method, path: target, headers: all, maxHeaderSize: 4 * 1024 * 1024 });
      request.on('error', reject);
      request.on('response', (response) => {
        buffer(response).then(
          (bytes) => resolve({ status: response.statusCode!, headers: response.headers, body: bytes.toString('utf8') }),
          reject,
        );
      });
      request.end(body);
    });
  }

  async put(name: string, body: string | Buffer = '', headers: Record<string, string> = {}): Promise<void> {
    const answer = await this.send('PUT', `${this.account}/${name}`, headers, body);
    if (answer.status !== 201 && answer.status !== 202) throw new Error(`PUT ${name}: ${answer.status} ${answer.body}`);
  }

  get(name: string): Promise<JobAnswer> {
    return this.send('GET', `${this.account}/${name}`);
  }

  /** Stores `test/support/guests/<name>.wat` as `bin/<name>`, and says where. */
  async guest(name: string): Promise<string> {
    await this.put('bin');
    await this.put(`bin/${name}`, Buffer.from(await assembleGuest(name)));
    return `swift://~/bin/${name}`;
  }
}

/** A client of a server that is there for all tests of a suite, before any of the suite's own set-up. */
export function useJobs(options: ServerOptions = {}): JobClient {
  const client = new JobClient();
  beforeAll(async () => {
    client.server = await startServer(options);
  });
  afterAll(() => client.server.close());
  return client;
}

/** A script for the system image `python`. */
export const python = (code: string) => `#!file://python:python\n${code}\n`;
