#!/usr/bin/env node
// Runs a command with a temporary MongoDB replica set: `with-mongo.mjs COMMAND ARGUMENT…`. The command gets its URI
// in REPARSE_TEST_MONGO. When the command ends, the database is stopped, and this process exits with the status of the command.
import { spawn } from 'node:child_process';
import { startMongod } from '../lib/mongod.mjs';

const [command, ...args] = process.argv.slice(2);
const mongod = await startMongod();
// a process group of its own, so that an interrupted run leaves nothing of it behind
const child = spawn(command, args, { stdio: 'inherit', detached: true, env: { ...process.env, REPARSE_TEST_MONGO: mongod.uri } });
process.on('exit', () => {
  try {
    process.kill(-child.pid, 'SIGTERM');
  } catch {
    // it is gone already
  }
});
child.once('error', error => {
  console.error(error.message);
  process.exit(127);
});
child.once('exit', async (code, signal) => {
  await mongod.stop();
  process.exit(code ?? (signal ? 128 : 1));
});
