'use strict';
// Log lines go to the server's log with the id of the request that they belong to.
const util = require('node:util');
const course = require('./course');

const MAX_MESSAGE = 8192;
let send = null;

function log(level, values, printed) {
  const message = util.format(...values);
  if (send) send({ level, message: message.slice(0, MAX_MESSAGE), request: course.current().request, printed });
  else (level === 'error' ? process.stderr : process.stdout).write(`${message}\n`);
}

const LEVELS = { error: 'error', warn: 'warn', info: 'info', verbose: 'debug', debug: 'debug', silly: 'debug' };

/** The logger of requests (`request.log`), with the methods of parse-server's. */
const logger = { log: (level, ...values) => log(LEVELS[level] ?? 'info', values) };
for (const [name, level] of Object.entries(LEVELS)) logger[name] = (...values) => log(level, values);

/** From here on log lines go over the channel. `console` is taken over in processes of the server's own. */
function attach(channel, { takeConsole }) {
  let dropped = 0;
  send = line => {
    if (channel.congested) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      channel.note('log', { level: 'warn', message: `${dropped} log lines were dropped`, request: '' });
      dropped = 0;
    }
    channel.note('log', line);
  };
  if (!takeConsole) return;
  for (const [method, level] of [['log', 'info'], ['info', 'info'], ['warn', 'warn'], ['error', 'error'], ['debug', 'debug'], ['trace', 'debug']]) {
    console[method] = (...values) => log(level, values, true);
  }
}

module.exports = { attach, logger };
