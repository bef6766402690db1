import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createChannelState } from '@zerocloud/sandbox/channels/state';
import { Control, createControl } from '@zerocloud/sandbox/executor/control';
import { SessionRunner } from '@zerocloud/sandbox/executor/run-session';
import { assembleGuest } from '../../../support/wat';

const directory = mkdtempSync(path.join(os.tmpdir(), 'run-session-'));
afterAll(() => rmSync(directory, { recursive: true }));

const openFiles = () => readdirSync('/proc/self/fd').length;

test('a session that sees a system image as a channel leaves no file open', async () => {
  const image = path.join(directory, 'image.tar');
  writeFileSync(image, Buffer.alloc(1024));
  const runner = new SessionRunner({
    setup: { systemImages: [{ name: 'tools', path: image, mounted: true }], inlineOutputBytes: 65_536 },
    control: new Control(createControl()),
    states: [createChannelState({ writable: true })],
    onNewState: () => undefined,
  });
  const data = await assembleGuest('hello');
  const limits = { reads: 0, readBytes: 0, writes: 10, writeBytes: 1000 };
  const run = (id: number) => {
    const reply = runner.run({
      id,
      program: { kind: 'module', source: { kind: 'bytes', data } },
      args: ['hello'],
      env: {},
      channels: [{ name: '/dev/stdout', type: 0, limits, fileType: 'pipe', etag: false }],
      mounts: [],
      systemImages: ['tools'],
      memoryBytes: 2 ** 20,
    });
    expect(reply.report.state).toBe('ok');
    runner.settle();
  };
  run(1);
  const before = openFiles();
  for (let id = 2; id < 10; id++) run(id);
  expect(openFiles()).toBe(before);
});
