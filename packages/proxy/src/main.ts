#!/usr/bin/env node
import { createLogger, outliveStrayFailures, runProgram } from '@zerocloud/object-server/program';
import { readServerConfig } from './config';
import { startServer } from './standalone';

void runProgram({
  usage:
    'Zerocloud: an object store that runs programs beside the objects. Without ZEROCLOUD_NODE_URL all in one process.',
  roles: ['standalone', 'proxy'],
  start: (env) => {
    const config = readServerConfig(env);
    const log = createLogger(config.proxy.logLevel);
    outliveStrayFailures(log);
    return startServer(config, { log });
  },
});
