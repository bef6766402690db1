#!/usr/bin/env node
'use strict';

const path = require('node:path');

require('./run-command').runCommand('zerovm', path.join(__dirname, '../dist/cli/zerovm.js'));
