#!/usr/bin/env node
'use strict';

const path = require('node:path');

require('@zerocloud/sandbox/bin/run-command').runCommand('zvapp', path.join(__dirname, '../dist/zvapp/zvapp.js'));
