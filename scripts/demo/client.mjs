/** A small Swift client: log in, put, get, list, and run jobs; counts the bytes of bodies on the wire. */
import http from 'node:http';

/** A job of a thousand nodes has long `X-Nexe-*` headers: an item for each node. */
const maxHeaderSize = 1 << 20;

export async function connect(url, user, key) {
  const agent = new http.Agent({ keepAlive: true });
  const wire = { sentBytes: 0, receivedBytes: 0 };

  function request(method, target, { headers = {}, body } = {}) {
    return new Promise((resolve, reject) => {
      const options = { method, agent, maxHeaderSize, headers: { ...headers, 'content-length': body?.length ?? 0 } };
      const sent = http.request(target, options, (answer) => {
        const chunks = [];
        answer.on('data', (chunk) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const received = Buffer.concat(chunks);
          wire.sentBytes += body?.length ?? 0;
          wire.receivedBytes += received.length;
          if (answer.statusCode < 300) resolve({ headers: answer.headers, body: received });
          else reject(new Error(`${method} ${target}: ${answer.statusCode} ${received.toString().slice(0, 300)}`));
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const login = await request('GET', `${url}/auth/v1.0`, { headers: { 'x-auth-user': user, 'x-auth-key': key } });
  const token = { 'x-auth-token': login.headers['x-auth-token'] };
  const storage = (method, target, { headers = {}, body } = {}) =>
    request(method, login.headers['x-storage-url'] + target, { headers: { ...token, ...headers }, body });

  const encode = (name) => name.split('/').map(encodeURIComponent).join('/');
  return {
    wire,
    close: () => agent.destroy(),
    putContainer: (container) => storage('PUT', `/${container}`),
    put: (container, name, body) => storage('PUT', `/${container}/${encode(name)}`, { body }),
    get: async (container, name) => (await storage('GET', `/${container}/${encode(name)}`)).body,
    async list(container) {
      const { body } = await storage('GET', `/${container}?format=json`);
      return JSON.parse(body.toString()).map((entry) => entry.name);
    },
    /** Runs a job and checks that every node ended well; resolves with the body and the accounting of its nodes. */
    async run(job) {
      const body = Buffer.from(JSON.stringify(job));
      const answer = await storage('POST', '', {
        headers: { 'x-zerovm-execute': '1.0', 'content-type': 'application/json' },
        body,
      });
      const items = (name) => answer.headers[name].split(',').map((item) => item.trim());
      const failed = items('x-nexe-status').filter((status) => status !== 'ok').length;
      const nonZero = items('x-nexe-retcode').filter((code) => code !== '0').length;
      if (failed + nonZero > 0) throw new Error(`${failed} sessions failed, ${nonZero} programs ended with an error`);
      // X-Nexe-Cdr-Line: total, then node time and ten counters per node; the fourth counter is bytes read.
      const [, ...nodes] = items('x-nexe-cdr-line');
      const readBytes = nodes.filter((_, i) => i % 2 === 1).map((counters) => Number(counters.split(' ')[3]));
      return { body: answer.body, sessionCount: nodes.length / 2, readBytes: readBytes.reduce((a, b) => a + b, 0) };
    },
  };
}
