import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import type { NodeChannel, NodePipe, NodeResult, NodeSession, ObjectPath, StorageNode } from '@zerocloud/object-server';
import { jailForms } from '@zerocloud/sandbox/jail/forms';
import { assembleGuest } from '../support/wat';
import { describeObjectStore, inChunks, md5, someBytes } from './object-store';

export interface OpenedNode {
  node: StorageNode;
  dispose(): Promise<void>;
}

export interface OpenNodeOptions {
  now: () => number;
  /** Whether sessions are needed; without, a node may be opened faster. */
  programs: boolean;
}

export type OpenNode = (options: OpenNodeOptions) => Promise<OpenedNode>;

const account = 'AUTH_test';
const timestamp = '1700000001.00000';
const unlimited = 1_000_000_000;

export function readable(device: string, source?: NodeChannel['source']): NodeChannel {
  const limits = { reads: unlimited, readBytes: 2 ** 40, writes: 0, writeBytes: 0 };
  return { device, type: 0, limits, fileType: 'pipe', etag: false, source };
}

export function writable(device: string, changes: Partial<NodeChannel> = {}): NodeChannel {
  const limits = { reads: 0, readBytes: 0, writes: unlimited, writeBytes: 2 ** 40 };
  return { device, type: 0, limits, fileType: 'pipe', etag: true, ...changes };
}

/** A session of a program given as bytes: an empty stdin, stdout returned, stderr dropped. */
function nodeSession(program: Uint8Array, changes: Partial<NodeSession> = {}): NodeSession {
  return {
    account,
    transactionId: 'tx1',
    name: 'node',
    program: { kind: 'source', source: { kind: 'bytes', data: program } },
    args: ['program'],
    env: {},
    channels: [readable('stdin'), writable('stdout'), writable('stderr', { discard: true })],
    systemImages: [],
    timeoutMs: 20_000,
    memoryBytes: 64 * 1024 ** 2,
    timestamp,
    maxProgramBytes: 2 ** 28,
    maxInputBytes: 2 ** 30,
    ...changes,
  };
}

/** From the standard output of one session of a group to the standard input of another. */
const piped = (from: number, to: number): NodePipe => {
  return { from: { session: from, device: 'stdout' }, to: { session: to, device: 'stdin' } };
};

const refusal = (code: string) => expect.objectContaining({ name: 'StorageError', code });

/** The contract of `StorageNode` as tests: that of the store, and programs beside its objects. */
export function describeStorageNode(name: string, openNode: OpenNode): void {
  describeObjectStore(`${name} as a store`, async ({ now }) => {
    const { node, dispose } = await openNode({ now, programs: false });
    return { store: node, dispose };
  });

  describe(name, () => {
    let opened: OpenedNode;
    let node: StorageNode;
    let copy: Uint8Array;
    let spin: Uint8Array;

    beforeAll(async () => {
      opened = await openNode({ now: Date.now, programs: true });
      node = opened.node;
      copy = await assembleGuest('copy-stdin-to-stdout');
      spin = await assembleGuest('spin-forever');
      await node.putContainer({ account, container: 'c' }, { timestamp, metadata: {} });
    });
    afterAll(() => opened.dispose());

    const at = (object: string): ObjectPath => ({ account, container: 'c', object });
    const put = (object: string, data: Buffer) =>
      node.putObject(at(object), inChunks(data), { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 2 ** 40 });
    const read = async (object: string) => {
      const found = await node.openObject(at(object));
      const body = await found!.read();
      const bytes = ArrayBuffer.isView(body) ? body : await buffer(body);
      found!.close();
      return bytes;
    };
    const stdoutOf = async ({ outputs }: NodeResult): Promise<Buffer> => {
      const { body } = outputs.find(({ device }) => device === 'stdout')!;
      return ArrayBuffer.isView(body) ? body : buffer(body as Readable);
    };
    const stdio = (source: NodeChannel['source'], output: Partial<NodeChannel> = {}) => ({
      channels: [readable('stdin', source), writable('stdout', output), writable('stderr', { discard: true })],
    });

    test('names its system images, how many sessions it runs, and how it confines them', async () => {
      const { systemImages, maxSessions, maxGroupSessions, jail } = await node.describe();
      expect(systemImages).toEqual(expect.arrayContaining(['python', 'python2.7']));
      expect(maxSessions).toBeGreaterThan(0);
      expect(maxGroupSessions).toBeGreaterThan(1);
      expect(Object.keys(jailForms)).toContain(jail);
    });

    describe('an upload', () => {
      test('whose body fails rejects with the cause and stores nothing', async () => {
        const failure = new Error('the client hung up');
        async function* failing() {
          yield someBytes(100_000);
          throw failure;
        }
        const options = { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 2 ** 40 };
        await expect(node.putObject(at('half'), failing(), options)).rejects.toMatchObject({
          code: 'bodyAborted',
          cause: failure,
        });
        expect(await node.findObject(at('half'))).toBeUndefined();
      });

      test('that is refused stops reading its body', async () => {
        let sentBytes = 0;
        async function* endless() {
          for (;;) {
            const chunk = Buffer.alloc(65_536);
            sentBytes += chunk.length;
            yield chunk;
          }
        }
        const options = { timestamp, contentType: 'a/b', metadata: {}, maxBytes: 1_000_000 };
        await expect(node.putObject(at('large'), endless(), options)).rejects.toEqual(refusal('objectTooLarge'));
        expect(sentBytes).toBeLessThan(50_000_000);
        expect(await node.findObject(at('large'))).toBeUndefined();
      });
    });

    test('many reads and writes at once do not disturb each other', async () => {
      const bodies = Array.from({ length: 20 }, (_, index) => someBytes(index * 10_000, index + 1));
      await Promise.all(bodies.map((body, index) => put(`many-${index}`, body)));
      const found = await Promise.all(bodies.map((_, index) => read(`many-${index}`)));
      expect(found.map(md5)).toEqual(bodies.map(md5));
    });

    describe('a staged body', () => {
      test.each([0, 10, 300_000])('of %d bytes is an input of sessions until it is released', async (sizeBytes) => {
        const data = someBytes(sizeBytes);
        const staged = await node.stageBody(inChunks(data), { maxBytes: 300_000 });
        expect(staged.sizeBytes).toBe(sizeBytes);
        for (let session = 0; session < 2; session++) {
          const result = await node.runSession(nodeSession(copy, stdio({ kind: 'staged', id: staged.id })));
          expect(md5(await stdoutOf(result))).toBe(md5(data));
        }
        await node.releaseBody(staged.id);
        await node.releaseBody(staged.id);
        const again = node.runSession(nodeSession(copy, stdio({ kind: 'staged', id: staged.id })));
        await expect(again).rejects.toEqual(refusal('stagedNotFound'));
      });

      test('may stand for a manifest of a container that keeps versions', async () => {
        const staged = await node.stageBody(inChunks(Buffer.from('whole')), { maxBytes: 100 });
        const record = { timestamp, bodyId: 'b', sizeBytes: 5, etag: 'e', contentType: 'a/b', metadata: {} };
        const standsFor = { path: at('manifest'), record: { ...record, deleteAt: 9e9, versionId: timestamp } };
        const source = { kind: 'staged' as const, id: staged.id, standsFor };
        const result = await node.runSession(nodeSession(copy, stdio(source)));
        expect((await stdoutOf(result)).toString()).toBe('whole');
        await node.releaseBody(staged.id);
      });

      test('is inflated on request, within the limit', async () => {
        const data = Buffer.alloc(200_000, 'x');
        const staged = await node.stageBody(inChunks(gzipSync(data)), { maxBytes: 200_000, inflate: true });
        expect(staged.sizeBytes).toBe(200_000);
        await node.releaseBody(staged.id);
        const bomb = node.stageBody(inChunks(gzipSync(data)), { maxBytes: 199_999, inflate: true });
        await expect(bomb).rejects.toEqual(refusal('objectTooLarge'));
        const damaged = node.stageBody(inChunks(data), { maxBytes: 300_000, inflate: true });
        await expect(damaged).rejects.toEqual(refusal('badArchive'));
      });
    });

    describe('a session', () => {
      test('reads an object and returns what it wrote', async () => {
        const data = someBytes(50_000);
        await put('in', data);
        const result = await node.runSession(nodeSession(copy, stdio({ kind: 'object', path: at('in') })));
        expect(result.report).toMatchObject({ state: 'ok', code: 0, exitCode: 0, validation: 0, daemon: false });
        expect(result.report.accounting).toMatchObject({ readBytes: 50_000, writeBytes: 50_000 });
        expect(result.outputs).toMatchObject([{ device: 'stdout', sizeBytes: 50_000, md5: md5(data) }]);
        expect(md5(await stdoutOf(result))).toBe(md5(data));
      });

      test('takes its program from an object and its input from the request', async () => {
        await put('program.wasm', Buffer.from(copy));
        const result = await node.runSession(
          nodeSession(copy, {
            ...stdio({ kind: 'bytes', data: Buffer.from([0, 255, 10, 13]) }),
            program: { kind: 'source', source: { kind: 'object', path: at('program.wasm') } },
          }),
        );
        expect([...(await stdoutOf(result))]).toEqual([0, 255, 10, 13]);
      });

      test('returns outputs larger than memory would like, as streams in channel order', async () => {
        const data = someBytes(5_000_000);
        await put('large-in', data);
        const result = await node.runSession(nodeSession(copy, stdio({ kind: 'object', path: at('large-in') })));
        expect(result.outputs[0]).toMatchObject({ sizeBytes: 5_000_000, md5: md5(data) });
        expect(md5(await stdoutOf(result))).toBe(md5(data));
      });

      test('whose large output nobody wants leaves the node in order', async () => {
        const result = await node.runSession(nodeSession(copy, stdio({ kind: 'object', path: at('large-in') })));
        const body = result.outputs[0]!.body as Readable;
        body.destroy();
        await once(body, 'close');
        const next = await node.runSession(nodeSession(copy, stdio({ kind: 'bytes', data: Buffer.from('next') })));
        expect(String(await stdoutOf(next))).toBe('next');
      });

      test('stores an output that has a target', async () => {
        const target = { path: at('out'), contentType: 'text/x-out', metadata: { 'x-object-meta-by': 'Jürgen 漢' } };
        const source = { kind: 'object' as const, path: at('large-in') };
        const result = await node.runSession(nodeSession(copy, stdio(source, { target })));
        expect(result.outputs).toMatchObject([{ device: 'stdout', sizeBytes: 5_000_000, stored: at('out') }]);
        expect(result.outputs[0]!.body).toBeUndefined();
        expect(await node.findObject(at('out'))).toMatchObject({
          sizeBytes: 5_000_000,
          contentType: 'text/x-out',
          metadata: target.metadata,
          timestamp,
        });
        expect(md5(await read('out'))).toBe(md5(await read('large-in')));
      });

      test('tells when an output cannot be stored', async () => {
        const path = { account, container: 'missing', object: 'o' };
        const target = { path, contentType: 'a/b', metadata: {} };
        const result = await node.runSession(nodeSession(copy, stdio(undefined, { target })));
        expect(result.outputs).toMatchObject([{ device: 'stdout', refused: 'containerNotFound' }]);
      });

      test('runs a script of the python image', async () => {
        const result = await node.runSession(
          nodeSession(copy, {
            program: { kind: 'system-image', image: 'python', path: 'python' },
            args: ['python', '-c', 'print(6 * 7)'],
          }),
        );
        expect(String(await stdoutOf(result))).toBe('42\n');
      });

      test('reports what became of a guest that ran too long', async () => {
        const { report } = await node.runSession(nodeSession(spin, { timeoutMs: 200 }));
        expect(report).toMatchObject({ code: 4, state: 'session timeout' });
      });

      test.each<[string, Partial<NodeSession>, string]>([
        ['an input that is not there', stdio({ kind: 'object', path: at('nothing') }), 'objectNotFound'],
        [
          'a program that is not there',
          { program: { kind: 'source', source: { kind: 'object', path: at('nothing') } } },
          'objectNotFound',
        ],
        [
          'an unknown system image',
          { program: { kind: 'system-image', image: 'perl', path: 'perl' } },
          'systemImageNotFound',
        ],
        [
          'an input beyond the limit',
          { ...stdio({ kind: 'object', path: at('large-in') }), maxInputBytes: 1000 },
          'inputTooLarge',
        ],
        ['a program beyond the limit', { maxProgramBytes: 10 }, 'programTooLarge'],
      ])('is refused with %s', async (_, changes, code) => {
        const failure = await node.runSession(nodeSession(copy, changes)).catch((error) => error);
        expect(failure).toEqual(refusal(code));
        expect(failure.message).not.toBe('');
      });

      test('reads the listing of a container, as a database and as lines', async () => {
        await put('listed', Buffer.from('12345'));
        const path = { account, container: 'c' };
        const lines = await node.runSession(nodeSession(copy, stdio({ kind: 'container', path, form: 'json' })));
        const rows = String(await stdoutOf(lines))
          .trimEnd()
          .split('\n');
        const row = { name: 'listed', size: 5, deleted: 0 };
        expect(rows.map((line) => JSON.parse(line))).toContainEqual(expect.objectContaining(row));
        const database = await node.runSession(nodeSession(copy, stdio({ kind: 'container', path, form: 'sqlite' })));
        expect(String(await stdoutOf(database)).slice(0, 16)).toBe('SQLite format 3\0');
        const none = stdio({ kind: 'container', path: { account, container: 'none' }, form: 'sqlite' });
        await expect(node.runSession(nodeSession(copy, none))).rejects.toEqual(refusal('containerNotFound'));
      });

      test('can be spared the validation of a program that was validated before', async () => {
        const limits = { timeoutMs: 10_000, memoryBytes: 64 * 1024 ** 2, maxProgramBytes: 100_000 };
        await put('program', Buffer.from(copy));
        await put('no-program', Buffer.from('text'));
        const validate = async (object: string, changes: object = {}) => {
          const { bodyId } = (await node.findObject(at(object)))!;
          return node.validateProgram(at(object), { ...limits, bodyId, ...changes });
        };
        const program = { kind: 'source', source: { kind: 'object', path: at('program') } } as const;
        const validation = async (prevalidated: boolean) =>
          (await node.runSession({ ...nodeSession(copy), program, prevalidated })).report.validation;
        expect(await validate('program', { bodyId: 'another' })).toBe(false);
        expect(await validate('program', { maxProgramBytes: 10 })).toBe(false);
        expect([await validate('no-program'), await validation(true)]).toEqual([false, 0]);
        expect(await validate('program')).toBe(true);
        expect([await validation(false), await validation(true)]).toEqual([0, 2]);
        await put('program', Buffer.from(copy));
        expect(await validation(true)).toBe(0);
        await expect(node.validateProgram(at('none'), { ...limits, bodyId: 'x' })).rejects.toEqual(
          refusal('objectNotFound'),
        );
      });

      test('that is aborted ends at once with the reason, and its slot is free again', async () => {
        const { maxSessions } = await node.describe();
        const controller = new AbortController();
        const reason = new Error('the client hung up');
        const running = Array.from({ length: maxSessions }, () =>
          node.runSession(nodeSession(spin, { timeoutMs: 60_000 }), { signal: controller.signal }),
        );
        const next = node.runSession(nodeSession(copy, stdio({ kind: 'bytes', data: Buffer.from('free') })));
        controller.abort(reason);
        for (const { status, ...outcome } of await Promise.allSettled(running)) {
          expect([status, outcome]).toEqual(['rejected', { reason }]);
        }
        expect(String(await stdoutOf(await next))).toBe('free');
      });

      test('is not started at all with a signal that has fired', async () => {
        const reason = new Error('too late');
        const late = node.runSession(nodeSession(copy), { signal: AbortSignal.abort(reason) });
        await expect(late).rejects.toBe(reason);
      });
    });

    describe('a group', () => {
      const source = (object: string) => ({ kind: 'object' as const, path: at(object) });
      const writer = (object: string) =>
        nodeSession(copy, { name: 'writer', ...stdio(source(object), { etag: false }) });
      const reader = (output: Partial<NodeChannel> = {}) =>
        nodeSession(copy, { name: 'reader', ...stdio(undefined, output) });

      test('runs sessions at the same time, and what one writes another reads', async () => {
        const data = someBytes(5_000_000);
        await put('group-in', data);
        const [first, second, third] = await node.runGroup({
          sessions: [writer('group-in'), reader({ etag: false }), reader()],
          pipes: [piped(0, 1), piped(1, 2)],
        });
        expect([first, second, third].map((one) => one!.report.state)).toEqual(['ok', 'ok', 'ok']);
        expect([first!.outputs, second!.outputs]).toEqual([[], []]);
        expect(second!.report.accounting).toMatchObject({ networkReadBytes: 5_000_000, networkWriteBytes: 5_000_000 });
        expect(third!.outputs).toMatchObject([{ device: 'stdout', sizeBytes: 5_000_000, md5: md5(data) }]);
        expect(md5(await stdoutOf(third!))).toBe(md5(data));
      });

      test('returns small and large outputs of several sessions, each its own', async () => {
        const bodies = [someBytes(1_000_000, 1), someBytes(1_000, 2), someBytes(2_000_000, 3)];
        for (const [index, body] of bodies.entries()) await put(`group-${index}`, body);
        const sessions = bodies.map((_, index) => nodeSession(copy, stdio(source(`group-${index}`))));
        const results = await node.runGroup({ sessions, pipes: [] });
        const found: string[] = [];
        for (const result of results) found.push(md5(await stdoutOf(result)));
        expect(found).toEqual(bodies.map(md5));
      });

      test('stores the outputs that have a target, of each session by itself', async () => {
        const target = (container: string, object: string) => ({
          path: { account, container, object },
          contentType: 'text/x-group',
          metadata: {},
        });
        const results = await node.runGroup({
          sessions: [
            nodeSession(copy, stdio(source('group-1'), { target: target('c', 'group-out') })),
            nodeSession(copy, stdio(source('group-1'), { target: target('missing', 'o') })),
          ],
          pipes: [],
        });
        expect(results[0]!.outputs).toMatchObject([{ device: 'stdout', stored: at('group-out') }]);
        expect(results[1]!.outputs).toMatchObject([{ device: 'stdout', refused: 'containerNotFound' }]);
        expect(await node.findObject(at('group-out'))).toMatchObject({ sizeBytes: 1_000, contentType: 'text/x-group' });
      });

      test('goes on when one of its sessions dies: its readers see the end, its writers a broken pipe', async () => {
        const trap = await assembleGuest('hit-unreachable');
        const flood = await assembleGuest('flood-stdout');
        const [trapped, sink, source] = await node.runGroup({
          sessions: [
            nodeSession(trap, stdio(undefined, { etag: false })),
            reader(),
            nodeSession(flood, stdio(undefined, { etag: false })),
          ],
          pipes: [piped(0, 1), { from: { session: 2, device: 'stdout' }, to: { session: 0, device: 'stdin' } }],
        });
        expect(trapped!.report.state).toMatch(/^trap/);
        expect(String(await stdoutOf(sink!))).toBe('');
        // The guest exits with the number of the error that ended its writing.
        expect(source!.report).toMatchObject({ state: 'ok', exitCode: 64 });
      });

      test('is refused as a whole with an input that is not there, and says whose it is', async () => {
        const target = { path: at('never'), contentType: 'a/b', metadata: {} };
        const sessions = [nodeSession(copy, stdio(source('group-1'), { target })), writer('nothing'), reader()];
        const failure = await node.runGroup({ sessions, pipes: [piped(1, 2)] }).catch((error) => error);
        expect(failure).toEqual(refusal('objectNotFound'));
        expect(failure.session).toBe(1);
        expect(await node.findObject(at('never'))).toBeUndefined();
      });

      test('is refused with a program that its image does not have, and says whose it is', async () => {
        const program = { kind: 'system-image' as const, image: 'python', path: 'no-such-program' };
        const sessions = [nodeSession(spin), nodeSession(spin), nodeSession(copy, { program })];
        const failure = await node.runGroup({ sessions, pipes: [] }).catch((error) => error);
        expect(failure).toEqual(refusal('programNotFound'));
        expect(failure.session).toBe(2);
      });

      test('of more sessions than can run at once is refused', async () => {
        const { maxGroupSessions } = await node.describe();
        const sessions = Array.from({ length: maxGroupSessions + 1 }, () => nodeSession(copy));
        await expect(node.runGroup({ sessions, pipes: [] })).rejects.toEqual(refusal('noSlot'));
      });

      test('that is aborted ends at once with the reason, and its places are free again', async () => {
        const { maxGroupSessions } = await node.describe();
        const controller = new AbortController();
        const reason = new Error('the client hung up');
        const { signal } = controller;
        const sessions = Array.from({ length: maxGroupSessions }, () => nodeSession(spin, { timeoutMs: 60_000 }));
        const running = [1, 2].map(() => node.runGroup({ sessions, pipes: [] }, { signal }));
        const ends = Promise.allSettled(running);
        const next = node.runGroup({ sessions: [writer('group-1'), reader()], pipes: [piped(0, 1)] });
        controller.abort(reason);
        for (const { status, ...outcome } of await ends) expect([status, outcome]).toEqual(['rejected', { reason }]);
        expect((await next)[1]!.outputs).toMatchObject([{ sizeBytes: 1_000 }]);
      });

      test.each([0, 1_000, 1_000_000])(
        'can be taken apart: %d bytes lie on disk between two sessions',
        async (sizeBytes) => {
          const data = someBytes(sizeBytes);
          await put('spill-in', data);
          const first = await node.runSession(
            nodeSession(copy, {
              channels: [readable('stdin', source('spill-in')), writable('stdout', { spill: true })],
            }),
          );
          expect(first.outputs).toEqual([{ device: 'stdout', sizeBytes, stagedId: expect.any(String) }]);
          const { stagedId } = first.outputs[0]!;
          const input = { ...readable('stdin', { kind: 'staged' as const, id: stagedId! }), spill: true };
          const second = await node.runSession(
            // Such bytes are no input of the job, and do not count as one.
            nodeSession(copy, { channels: [input, writable('stdout')], maxInputBytes: copy.length }),
          );
          expect(second.outputs).toMatchObject([{ device: 'stdout', sizeBytes, md5: md5(data) }]);
          await stdoutOf(second);
          await node.releaseBody(stagedId!);
          await expect(node.runSession(nodeSession(copy, { channels: [input] }))).rejects.toEqual(
            refusal('stagedNotFound'),
          );
        },
      );
    });
  });
}
