/** Posts job descriptions, with room for the long headers of jobs with many nodes. */
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true });

/** Resolves with status, headers and body; throws unless all sessions ended well. */
export function postJob(server, description, headers = {}) {
  const body = Buffer.from(JSON.stringify(description));
  return new Promise((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port: server.port,
        method: 'POST',
        path: server.account,
        agent,
        maxHeaderSize: 4 << 20,
        headers: {
          'x-auth-token': server.token,
          'x-zerovm-execute': '1.0',
          'content-type': 'application/json',
          'content-length': body.length,
          ...headers,
        },
      },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const answer = {
            status: response.statusCode,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          };
          const all = String(answer.headers['x-nexe-retcode']).split(',');
          if (answer.status === 200 && all.every((code) => code === '0')) return resolve(answer);
          const why = answer.headers['x-nexe-status'] ?? '';
          reject(
            new Error(
              `job: ${answer.status} ${why.slice(0, 300)} ${answer.headers['x-nexe-retcode']} ${answer.body.slice(0, 300)}`,
            ),
          );
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
