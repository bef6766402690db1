import { inspect } from 'node:util';
import { readObjectServerConfig } from '@zerocloud/object-server/config';
import { readSettings, Secret, SettingsError, settings } from '@zerocloud/object-server/settings';

function problemsOf(env: Record<string, string>): string[] {
  try {
    readSettings(env, 'standalone');
  } catch (error) {
    return (error as SettingsError).problems;
  }
  return [];
}

describe('settings', () => {
  test('an empty environment gives the defaults', () => {
    const values = readSettings({ PATH: '/bin' }, 'standalone');
    expect(values).toMatchObject({ host: '127.0.0.1', port: 8080, dataDir: './data', maxFileSize: 5368709122 });
    expect(values.users[0]).toMatchObject({ account: 'test', user: 'tester', key: 'testing', groups: ['.admin'] });
    expect(values.nodeUrl).toBeUndefined();
    expect(readSettings({}, 'object-server').port).toBe(6200);
  });

  test('an empty variable counts as absent', () => {
    expect(readSettings({ ZEROCLOUD_PORT: '' }, 'standalone').port).toBe(8080);
  });

  test('reads users with keys that hold = and several groups', () => {
    const { users } = readSettings({ ZEROCLOUD_USERS: 'a:b=x=y .admin ops; c:d=z' }, 'standalone');
    expect(users.map((user) => ({ ...user }))).toEqual([
      { account: 'a', user: 'b', key: 'x=y', groups: ['.admin', 'ops'] },
      { account: 'c', user: 'd', key: 'z', groups: [] },
    ]);
  });

  test.each([
    ['ZEROCLOUD_PORT', '65536', 'ZEROCLOUD_PORT must be an integer 0–65535, not "65536"'],
    ['ZEROCLOUD_PORT', '-1', 'ZEROCLOUD_PORT must be an integer 0–65535, not "-1"'],
    ['ZEROCLOUD_PORT', '80x', 'ZEROCLOUD_PORT must be an integer 0–65535, not "80x"'],
    ['ZEROCLOUD_MAX_FILE_SIZE', '0', 'ZEROCLOUD_MAX_FILE_SIZE must be an integer ≥ 1, not "0"'],
    ['ZEROCLOUD_MAX_FILE_SIZE', '99999999999999999', 'must be an integer ≥ 1'],
    ['ZEROCLOUD_LOG_LEVEL', 'loud', 'ZEROCLOUD_LOG_LEVEL must be one of trace, debug'],
    ['ZEROCLOUD_NODE_URL', 'http://h:1/path', 'ZEROCLOUD_NODE_URL must be a URL http://host:port'],
    ['ZEROCLOUD_NODE_URL', 'ftp://h', 'ZEROCLOUD_NODE_URL must be a URL http://host:port'],
    ['ZEROCLOUD_USERS', 'a:b=c;oops', 'ZEROCLOUD_USERS has no "account:user=key group…" in entry 2'],
    ['ZEROCLOUD_USERS', 'a:b=c;a:b=d', 'ZEROCLOUD_USERS names the user a:b twice'],
    ['ZEROCLOUD_USERS', ';', 'ZEROCLOUD_USERS names no user'],
    ['ZEROCLOUD_SYSTEM_IMAGES', 'lua', 'ZEROCLOUD_SYSTEM_IMAGES has no "name=path" in entry 1'],
    ['ZEROCLOUD_SYSTEM_IMAGES', 'a=/x;a=/y', 'ZEROCLOUD_SYSTEM_IMAGES names the system image a twice'],
    ['ZEROCLOUD_NODE_KEY', 'short', 'ZEROCLOUD_NODE_KEY must be a secret, 16 characters or more'],
    ['ZEROCLOUD_POTR', '1', 'ZEROCLOUD_POTR is not a setting, did you mean ZEROCLOUD_PORT?'],
  ])('refuses %s=%s', (name, value, problem) => {
    expect(problemsOf({ [name]: value })).toEqual([expect.stringContaining(problem)]);
  });

  test('reports all problems at once', () => {
    const problems = problemsOf({ ZEROCLOUD_PORT: 'x', ZEROCLOUD_MAX_JOBS: '0', ZEROCLOUD_HOTS: 'h' });
    expect(problems).toHaveLength(3);
    expect(new SettingsError(problems).message).toMatch(
      /^3 settings are wrong:\n {2}ZEROCLOUD_PORT .*\n.*\n {2}ZEROCLOUD_HOTS/,
    );
  });

  test('problems never quote a secret', () => {
    const env = { ZEROCLOUD_NODE_KEY: 'hunter2', ZEROCLOUD_USERS: 'no user but hunter2' };
    expect(problemsOf(env)).toHaveLength(2);
    expect(problemsOf(env).join()).not.toContain('hunter2');
  });

  test('secrets print as ***, however they are printed', () => {
    const values = readSettings({ ZEROCLOUD_NODE_KEY: 'k'.repeat(16), ZEROCLOUD_USERS: 'a:b=hunter2' }, 'proxy');
    for (const printed of [JSON.stringify(values), inspect(values, { depth: 9 }), `${values.nodeKey}`]) {
      expect(printed).not.toMatch(/kkkk|hunter2/);
      expect(printed).toContain('***');
    }
    expect(values.nodeKey?.reveal()).toBe('k'.repeat(16));
    expect(values.users[0]?.key).toBe('hunter2');
    expect(new Secret('s').reveal()).toBe('s');
  });

  test('every setting has a sentence, a type, a default in words and a reader', () => {
    for (const setting of Object.values(settings)) {
      expect(setting.name).toMatch(/^ZEROCLOUD_[A-Z0-9_]+$/);
      expect(setting.sentence).toMatch(/\.$/);
      expect(setting.type).not.toBe('');
      expect(setting.readBy.length).toBeGreaterThan(0);
    }
  });
});

describe('config of an object server', () => {
  test('refuses to listen beyond loopback without a node key', () => {
    expect(() => readObjectServerConfig({ ZEROCLOUD_HOST: '0.0.0.0' })).toThrow(
      /beyond loopback only with a ZEROCLOUD_NODE_KEY/,
    );
    expect(readObjectServerConfig({ ZEROCLOUD_HOST: '0.0.0.0', ZEROCLOUD_NODE_KEY: 'x'.repeat(16) }).host).toBe(
      '0.0.0.0',
    );
  });

  test.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1'])('listens on %s without one', (host) => {
    expect(readObjectServerConfig({ ZEROCLOUD_HOST: host }).host).toBe(host);
  });

  test('makes the data directory absolute', () => {
    expect(readObjectServerConfig({ ZEROCLOUD_DATA_DIR: 'x' }).storage.dataDir).toBe(`${process.cwd()}/x`);
  });
});
