/**
 * What code could do in an executor process if the engine was broken: plain JavaScript, with all of Node, started just as
 * an executor is. It tries everything on its list and tells the outcome of each: 'done', or the error's code. What may end
 * the process is a `stage` of its own.
 */
const fs = require('node:fs');
const net = require('node:net');
const dgram = require('node:dgram');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { Worker } = require('node:worker_threads');

const { inDirectory, outDirectory, secrets, serverPid, neighbourPid, tcpPort, unixPath, ownFile, stage } = JSON.parse(
  process.argv[2],
);
const outcomes = {};

function attempt(name, action) {
  try {
    const value = action();
    outcomes[name] = value === undefined ? 'done' : value;
  } catch (error) {
    outcomes[name] = error.code ?? String(error);
  }
}

function attemptLater(name, start) {
  return new Promise((resolve) => {
    const settle = (outcome) => {
      outcomes[name] ??= outcome;
      resolve();
    };
    try {
      start(settle, (error) => settle(error.code ?? String(error)));
    } catch (error) {
      settle(error.code ?? String(error));
    }
  });
}

// Exceeding the file size is a signal besides an error.
process.on('SIGXFSZ', () => undefined);

attempt('read its input', () => fs.readFileSync(path.join(inDirectory, 'input'), 'utf8'));
attempt('list its inputs', () => fs.readdirSync(inDirectory).join());
attempt('write its output', () => fs.writeFileSync(path.join(outDirectory, 'output'), 'x', { flag: 'r+' }));
attempt('create another output', () => fs.writeFileSync(path.join(outDirectory, 'another'), 'x'));
attempt('create a file without a name', () => fs.openSync(outDirectory, 0o20200002));
for (const [name, file] of Object.entries(secrets)) attempt(`read ${name}`, () => fs.readFileSync(file, 'latin1'));
for (const directory of ['/', '/proc', '/dev', '/etc', '/tmp', '/home', '/root', '/sys']) {
  attempt(`list ${directory}`, () => fs.readdirSync(directory).sort().join());
}
for (const file of ['/x', '/tmp/x', path.join(path.dirname(inDirectory), 'x'), path.join(inDirectory, 'x')]) {
  attempt(`create ${file === '/x' || file === '/tmp/x' ? file : path.basename(path.dirname(file))}`, () =>
    fs.writeFileSync(file, 'x'),
  );
}
attempt('overwrite its input', () => fs.writeFileSync(path.join(inDirectory, 'input'), 'x'));
attempt('make its input writable', () => fs.chmodSync(path.join(inDirectory, 'input'), 0o777));
attempt('remove its input', () => fs.unlinkSync(path.join(inDirectory, 'input')));
attempt('overwrite the sandbox package', () => fs.appendFileSync(ownFile, '\n'));
attempt('overwrite Node', () => fs.openSync(process.execPath, 'r+'));
attempt('leave a symbolic link', () => fs.symlinkSync('/etc/passwd', path.join(outDirectory, 'symlink')));
attempt('leave a hard link', () => fs.linkSync(path.join(inDirectory, 'input'), path.join(outDirectory, 'link')));
attempt('leave a directory', () => fs.mkdirSync(path.join(outDirectory, 'directory')));
attempt('leave a set-user-id file', () => fs.chmodSync(path.join(outDirectory, 'output'), 0o4755));
attempt('start a process', () => {
  const { error, status } = spawnSync(process.execPath, ['-e', '0']);
  if (error) throw error;
  return `exited with ${status}`;
});
attempt('signal the server', () => void process.kill(serverPid, 0));
attempt('signal a neighbour', () => void process.kill(neighbourPid, 0));
attempt('become root', () => process.setuid(0));
attempt('change its priority', () => os.setPriority(0, 0));
attempt('see the network', () => Object.keys(os.networkInterfaces()).join());
attempt('environment', () => Object.keys(process.env).sort().join());
attempt('user', () => `${process.getuid()}:${process.getgid()}:${process.getgroups().join('.')}`);
attempt('files it was started with', () => {
  const found = [];
  for (let fd = 0; fd < 64; fd++) {
    try {
      if (fs.fstatSync(fd).isFile()) found.push(fd);
    } catch {
      // Not open.
    }
  }
  return found.join();
});
attempt('write without end', () => {
  const fd = fs.openSync(path.join(outDirectory, 'large'), 'r+');
  const block = Buffer.alloc(1024 ** 2);
  let written = 0;
  try {
    for (let i = 0; i < 4096; i++) written += fs.writeSync(fd, block);
    return 'never stopped';
  } catch (error) {
    return `${error.code} after ${written}`;
  }
});
attempt('open files without end', () => {
  const fds = [];
  try {
    for (;;) fds.push(fs.openSync(path.join(inDirectory, 'input')));
  } catch (error) {
    return `${error.code} ${fds.length < 4096 ? 'in time' : 'too late'}`;
  } finally {
    for (const fd of fds) fs.closeSync(fd);
  }
});

/** Keeps what it takes, and notes how much that is before it takes more: the last step may end the process. */
function allocateWithoutEnd() {
  const pages = 1600;
  const note = fs.openSync(path.join(outDirectory, 'allocated'), 'r+');
  const held = [];
  for (;;) {
    held.push(new WebAssembly.Memory({ initial: pages, maximum: pages }));
    fs.writeSync(note, `${held.length * pages * 65_536}\n`);
  }
}

void (async () => {
  if (stage === 'memory') allocateWithoutEnd();
  await attemptLater('connect over TCP', (settle, fail) => {
    net.connect(tcpPort, '127.0.0.1', () => settle('done')).on('error', fail);
  });
  await attemptLater('connect over a Unix socket', (settle, fail) => {
    net.connect(unixPath, () => settle('done')).on('error', fail);
  });
  await attemptLater('listen', (settle, fail) => {
    net
      .createServer()
      .on('error', fail)
      .listen(0, '127.0.0.1', () => settle('done'));
  });
  await attemptLater('send a datagram', (settle, fail) => {
    const socket = dgram.createSocket('udp4').on('error', fail);
    socket.send('x', 53, '127.0.0.1', (error) => (error ? fail(error) : settle('done')));
  });
  if (stage === 'threads') {
    const most = 200;
    await attemptLater('start threads without end', (settle) => {
      let started = 0;
      const next = () => {
        if (started === most) return settle('never stopped');
        const worker = new Worker('require("node:worker_threads").parentPort.on("message", () => {});', { eval: true });
        worker.once('online', () => {
          started++;
          next();
        });
        worker.once('error', (error) => settle(error.code ?? String(error)));
      };
      next();
    });
  }
  require('node:fs').writeSync(3, `${JSON.stringify(outcomes)}\n`);
})();
// Stays until it is killed.
setInterval(() => undefined, 1000);
