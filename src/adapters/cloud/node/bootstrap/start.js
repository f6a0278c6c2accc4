'use strict';
// What the server runs: one process of cloud code.
const fs = require('node:fs');
const os = require('node:os');

const { REPARSE_CLOUD_SOCKET: socket, REPARSE_CLOUD_TOKEN: token, REPARSE_CLOUD_NICE: nice } = process.env;
// Programs that the app starts need not know them.
delete process.env.REPARSE_CLOUD_SOCKET;
delete process.env.REPARSE_CLOUD_TOKEN;
delete process.env.REPARSE_CLOUD_NICE;

const [major] = process.versions.node.split('.').map(Number);
if (major < 18) {
  fs.writeSync(2, `cloud code needs Node.js 18 or later; this is ${process.version}\n`);
  process.exit(1);
}

// A server that gives way already may not be allowed to take more.
if (Number(nice) > os.getPriority()) os.setPriority(Number(nice));

process.on('unhandledRejection', reason => {
  console.error('unhandled rejection in cloud code:', reason);
});
process.on('uncaughtException', error => {
  // The state of the app is unknown after this: the server starts a new process.
  fs.writeSync(2, `uncaught exception in cloud code: ${error?.stack ?? error}\n`);
  process.exit(1);
});

require('./load')
  .join({ socket, token, takeConsole: true })
  .then(channel => channel.closed)
  .then(
    () => process.exit(0),
    error => {
      fs.writeSync(2, `cannot join the server: ${error?.message ?? error}\n`);
      process.exit(1);
    },
  );
