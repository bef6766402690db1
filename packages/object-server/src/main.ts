#!/usr/bin/env node
import { readObjectServerConfig } from './config';
import { createLogger, runProgram } from './program';
import { startObjectServer } from './server';

void runProgram({
  usage: 'The object server of Zerocloud: one storage node, for a proxy that runs elsewhere.',
  roles: ['object-server'],
  start: (env) => {
    const config = readObjectServerConfig(env);
    return startObjectServer(config, createLogger(config.logLevel));
  },
});
