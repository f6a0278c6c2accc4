'use strict';
// Live queries on an HTTP server of the program: its WebSockets are handed on to the server.
const http = require('node:http');
const { current } = require('./apps');

class LiveQueryServer {
  constructor(server, config = {}, given = {}) {
    this.config = config ?? {};
    this.options = given ?? {};
    this.own = !server || Boolean(this.config.port);
    this.server = this.own ? http.createServer((_, res) => res.writeHead(404).end()) : server;
    this.clients = new Map();
    this.subscriptions = new Map();
    this.onUpgrade = (req, socket, head) => this.#take(req, socket, head);
  }

  async connect() {
    const appId = this.config.appId ?? this.options.appId;
    this.app = current(appId);
    if (!this.app?.takeUpgrade) {
      throw new Error('ParseServer.createLiveQueryServer: start a ParseServer in this program first; its live queries are served');
    }
    this.server.on('upgrade', this.onUpgrade);
    if (this.own) {
      await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.config.port, resolve));
    }
  }

  #take(req, socket, head) {
    this.app.takeUpgrade(req, socket, head);
  }

  /** Takes no more connections, and ends those that are open. */
  async shutdown() {
    this.server.off('upgrade', this.onUpgrade);
    if (this.own) this.server.close();
  }
}

module.exports = { LiveQueryServer, ParseLiveQueryServer: LiveQueryServer };
