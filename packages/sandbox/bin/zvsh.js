#!/usr/bin/env node
'use strict';

const path = require('node:path');

require('./run-command').runCommand('zvsh', path.join(__dirname, '../dist/cli/zvsh.js'));
