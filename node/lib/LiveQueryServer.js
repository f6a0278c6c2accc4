'use strict';
// Live queries on an HTTP server of the program: its WebSockets are handed on to the server.
const http = require('node:http');
const { find } = require('./apps');

/** What the server must know at its start. */
const AT_START = ['keyPairs', 'websocketTimeout', 'redisURL', 'redisOptions', 'pubSubAdapter', 'wssAdapter'];

class LiveQueryServer {
  constructor(server, config, given) {
    this.config = config ?? {};
    this.own = !server || Boolean(this.config.port);
    this.server = this.own ? http.createServer((_, res) => res.writeHead(404).end()) : server;
    this.clients = new Map();
    this.subscriptions = new Map();
    this.sockets = new Set();
    this.appId = this.config.appId ?? given?.appId;
    this.onUpgrade = (req, socket, head) => this.#take(req, socket, head);
  }

  async connect() {
    const parseServer = find(this.appId)?.parseServer;
    if (!parseServer) throw new Error(`createLiveQueryServer: there is no ParseServer${this.appId ? ` of the app ${this.appId}` : ''} in this program`);
    const { liveQuery, liveQueryServerOptions } = parseServer.config;
    if (!liveQuery && !liveQueryServerOptions) console.warn('createLiveQueryServer: no class has live queries; give the option liveQuery to ParseServer');
    for (const key of AT_START) {
      if (this.config[key] !== undefined && this.config[key] !== liveQueryServerOptions?.[key]) {
        throw new Error(`createLiveQueryServer: give ${key} to ParseServer, in liveQueryServerOptions`);
      }
    }
    this.parseServer = parseServer;
    this.server.on('upgrade', this.onUpgrade);
    if (!this.own) return;
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.config.port, resolve));
  }

  #take(req, socket, head) {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    this.parseServer.handOnUpgrade(req, socket, head);
  }

  /** Takes no more connections, and ends those that are open. */
  async shutdown() {
    this.server.off('upgrade', this.onUpgrade);
    for (const socket of this.sockets) socket.destroy();
    if (this.own) this.server.close();
  }
}

module.exports = { LiveQueryServer };
