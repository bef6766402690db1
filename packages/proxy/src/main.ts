#!/usr/bin/env node
import { createLogger, runProgram } from '@zerocloud/object-server/program';
import { readServerConfig } from './config';
import { startServer } from './standalone';

void runProgram({
  usage:
    'Zerocloud: an object store that runs programs beside the objects. Without ZEROCLOUD_NODE_URL all in one process.',
  roles: ['standalone', 'proxy'],
  start: (env) => {
    const config = readServerConfig(env);
    return startServer(config, { log: createLogger(config.proxy.logLevel) });
  },
});
