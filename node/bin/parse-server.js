#!/usr/bin/env node
'use strict';
// `parse-server` in the scripts of a package.json: the server itself, with the same arguments.
const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { check, find } = require('../lib/binary');

async function main() {
  const file = find();
  await check(file);
  const child = spawn(file, process.argv.slice(2), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

main().catch(error => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});
