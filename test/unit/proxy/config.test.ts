import { defaultJobLimits, defaultSwiftLimits, readServerConfig } from '@zerocloud/proxy/config';

describe('config of the proxy', () => {
  test('is standalone by default, with a local node', () => {
    const { proxy, node } = readServerConfig({ ZEROCLOUD_DATA_DIR: '/d', ZEROCLOUD_MAX_SESSIONS: '3' });
    expect(node).toMatchObject({ kind: 'local', storage: { dataDir: '/d', maxSessions: 3 } });
    expect(proxy).toMatchObject({
      port: 8080,
      limits: defaultSwiftLimits,
      jobs: defaultJobLimits,
      timeouts: { clientTimeoutS: 60, maxUploadTimeS: 86_400 },
    });
  });

  test('a node URL makes it a proxy only', () => {
    const env = {
      ZEROCLOUD_NODE_URL: 'http://10.0.0.2:6200',
      ZEROCLOUD_NODE_KEY: 'x'.repeat(20),
      ZEROCLOUD_NODE_TIMEOUT_S: '5',
    };
    const { node } = readServerConfig(env);
    expect(node).toMatchObject({ kind: 'remote', url: 'http://10.0.0.2:6200', timeoutS: 5 });
  });

  test.each(['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.example.org'])(
    'refuses to listen on %s with the default users',
    (host) => {
      expect(() => readServerConfig({ ZEROCLOUD_HOST: host })).toThrow(
        /with the default user test:tester it may be loopback only/,
      );
      expect(() => readServerConfig({ ZEROCLOUD_HOST: host, ZEROCLOUD_USERS: 'a:b=c;test:tester=testing' })).toThrow();
      expect(readServerConfig({ ZEROCLOUD_HOST: host, ZEROCLOUD_USERS: 'a:b=c .admin' }).proxy.host).toBe(host);
    },
  );

  test('hands every limit on', () => {
    const env = {
      ZEROCLOUD_MAX_OBJECT_NAME_LENGTH: '100',
      ZEROCLOUD_SESSION_TIMEOUT_S: '7',
      ZEROCLOUD_CLIENT_TIMEOUT_S: '2',
      ZEROCLOUD_TOKEN_LIFETIME_S: '9',
    };
    expect(readServerConfig(env).proxy).toMatchObject({
      limits: { maxObjectNameLength: 100 },
      jobs: { sessionTimeoutS: 7 },
      timeouts: { clientTimeoutS: 2 },
      tokenLifetimeS: 9,
    });
  });
});
