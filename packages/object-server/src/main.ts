#!/usr/bin/env node
import { readObjectServerConfig } from './config';
import { createLogger, outliveStrayFailures, runProgram } from './program';
import { startObjectServer } from './server';

void runProgram({
  usage: 'The object server of Zerocloud: one storage node, for a proxy that runs elsewhere.',
  roles: ['object-server'],
  start: (env) => {
    const config = readObjectServerConfig(env);
    const log = createLogger(config.logLevel);
    outliveStrayFailures(log);
    return startObjectServer(config, log);
  },
});
