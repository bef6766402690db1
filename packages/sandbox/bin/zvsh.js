#!/usr/bin/env node
'use strict';

require('./run-command').runCommand('zvsh');
