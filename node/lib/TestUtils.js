'use strict';
// Helpers for tests of programs.
const { Parse } = require('./apps');

/** Deletes all objects of all classes of the program's app; only in tests: with `TESTING` in the environment. */
async function destroyAllDataPermanently() {
  if (!process.env.TESTING) throw 'Only supported in test environment';
  const schemas = await Parse.Schema.all();
  for (const { className } of schemas) {
    const schema = new Parse.Schema(className);
    await schema.purge();
    if (!className.startsWith('_')) await schema.delete();
  }
}

/** A promise that is settled from outside. */
function resolvingPromise() {
  const settle = {};
  const promise = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return Object.assign(promise, settle);
}

const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/** The number of open connections of an HTTP server. */
function getConnectionsCount(server) {
  return new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
}

/** The open connections of HTTP servers. */
class Connections {
  constructor() {
    this.sockets = new Set();
  }

  track(server) {
    server.on('connection', socket => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  destroyAll() {
    for (const socket of this.sockets) socket.destroy();
    this.sockets.clear();
  }

  count() {
    return this.sockets.size;
  }
}

module.exports = { Connections, destroyAllDataPermanently, getConnectionsCount, resolvingPromise, sleep };
