'use strict';
// The class that programs use: a server of its own process, and the middleware that hands requests on to it.
const http = require('node:http');
const path = require('node:path');
const { App, Parse } = require('./apps');
const { load } = require('./bootstrap');
const caches = require('./adapters/caches');
const { forward, upgrade } = require('./forward');
const { Lines } = require('./lines');
const { LiveQueryServer } = require('./LiveQueryServer');
const { mountable } = require('./mount');
const options = require('./options');
const { withRequestContext } = require('./requestContext');
const { Server } = require('./server');
const { Connections } = require('./TestUtils');
const { verifyServerUrl } = require('./verifyServerUrl');

const PATTERN_OF_SPECIAL_CHARACTERS = /[!#$%'()*+&/:;=?@[\]{}^,|<>]/;
const connections = new Connections();

/** Fails as parse-server does: with a text. */
const required = message => {
  throw message;
};

/**
 * Makes instances functions, too: programs for parse-server 5 and older mount them themselves, `app.use('/parse', api)`, and never
 * call `start`.
 */
class Middleware {
  constructor() {
    const self = (req, res, next) => self.app(req, res, next);
    return Object.setPrototypeOf(self, new.target.prototype);
  }
}

class ParseServer extends Middleware {
  constructor(given = {}) {
    super();
    if (!given.appId) required('You must provide an appId!');
    if (!given.masterKey) required('You must provide a masterKey!');
    for (const [key, value] of Object.entries(options.DEFAULTS)) given[key] ??= value;
    given.serverURL ??= `http://localhost:${given.port}${given.mountPath}`;
    if (PATTERN_OF_SPECIAL_CHARACTERS.test(given.appId)) {
      console.warn('\nWARNING, appId that contains special characters can cause issues while using with urls.\n');
    }
    this.config = Object.assign(given, { state: 'initialized' });
    const masterKey = typeof given.masterKey === 'string' ? given.masterKey : undefined;
    Parse.initialize(given.appId, given.javascriptKey || 'unused', masterKey);
    Parse.serverURL = given.serverURL;
    this.embedded = new App(this);
    if (given.serverStartComplete) this.#startAlone();
  }

  /** Starts the server; resolves when it answers. */
  start() {
    // Whoever comes second waits for the first.
    this.starting ??= this.#start();
    return this.starting;
  }

  async #start() {
    const { config, embedded } = this;
    embedded.remember();
    this.process = undefined;
    config.state = 'starting';
    try {
      const asked = { ...config };
      delete asked.state;
      const warning = caches.take(asked);
      if (warning) console.warn(warning);
      const { options: wanted, given, listens, givesMasterKey } = await options.read(asked);
      if (givesMasterKey) {
        Parse.masterKey = wanted.masterKey;
        given.masterKey = async () => (Parse.masterKey = await config.masterKey());
      }
      const run = () => runCloud(config.cloud);
      const start = { options: wanted, given, listens, givesMasterKey, Parse: embedded.Parse, registry: embedded.registry, run };
      this.process = await embedded.run(() => Server.start(start));
      // Of a program that joins again, the newer one.
      Object.defineProperty(embedded, 'channel', { configurable: true, get: () => this.process?.channel });
      this.lines = new Lines(this.process.requests);
      config.state = 'ok';
      return this;
    } catch (error) {
      config.state = 'error';
      this.starting = undefined;
      throw error;
    }
  }

  /** Starts the server for a program that does not wait for it. */
  #startAlone() {
    if (this.starting) return;
    const { serverStartComplete } = this.config;
    this.start().then(
      () => serverStartComplete?.(),
      error => {
        if (serverStartComplete) return serverStartComplete(error);
        console.error(error);
        process.exit(1);
      },
    );
  }

  /** What Express looks for when the instance itself is mounted: nobody is going to call `start`. */
  get handle() {
    this.alone ??= setImmediate(() => this.#startAlone());
    return this.app;
  }

  get emit() {
    return this.app.emit;
  }

  get set() {
    return this.app.set;
  }

  /** The middleware for the REST API. */
  get app() {
    this._app ??= this.withRequestContext(this.config.mountPath);
    return this._app;
  }

  /** As `middleware`, behind the program's `requestContextMiddleware`. */
  withRequestContext(pathOnServer) {
    const handOn = (req, res, id, way) => this.#handOn(pathOnServer, req, res, { id, way });
    const { requestContextMiddleware } = this.config;
    if (requestContextMiddleware) return mountable(withRequestContext(requestContextMiddleware, this.config, handOn));
    // Express gives a third argument to what takes it.
    return mountable(
      (req, res) => handOn(req, res),
      (req, res, way) => handOn(req, res, undefined, way),
    );
  }

  /** The middleware for something that the server has at another path. `graphQLPath`: where the program serves GraphQL. */
  middleware(pathOnServer, graphQLPath) {
    return (req, res) => this.#handOn(pathOnServer, req, res, { graphQLPath });
  }

  /** `id`: what the server is to call the request. `way`: how it came, if not through Express. */
  #handOn(prefix, req, res, more = {}) {
    if (this.config.state === 'stopped') {
      refuse(res, 'stopped');
      return;
    }
    // A request that comes after a definition finds it.
    const telling = this.process?.channel?.telling;
    if (telling) {
      telling.then(() => this.#handOn(prefix, req, res, more));
      return;
    }
    if (this.process) {
      const { graphQLPath, id, way } = more;
      const { url } = way ?? req;
      const target = prefix === '/' ? url : prefix + (url.startsWith('/?') ? url.slice(1) : url);
      const mount = (way ? way.mount : req.baseUrl) || '/';
      forward(this.lines, req, res, target, graphQLPath ? `${mount} ${graphQLPath}` : mount, id, way?.first);
      return;
    }
    if (this.config.state === 'error') {
      refuse(res, this.config.state);
      return;
    }
    this.start().then(
      () => this.#handOn(prefix, req, res, more),
      () => refuse(res, 'error'),
    );
  }

  /** Hands a WebSocket on. The server takes them at any path. */
  handOnUpgrade(req, socket, head) {
    const { state } = this.config;
    if (state === 'ok') upgrade(this.process.requests, req, socket, head, req.url);
    else if (state === 'error' || state === 'stopped') socket.destroy();
    else {
      this.start().then(
        () => this.handOnUpgrade(req, socket, head),
        () => socket.destroy(),
      );
    }
  }

  /** Stops the server, and the HTTP server that `startApp` made. Requests in flight are finished. */
  async handleShutdown() {
    const closed = this.server ? new Promise(resolve => this.server.close(resolve)) : Promise.resolve();
    this.server?.closeIdleConnections?.();
    const own = this.liveQueryServer?.server;
    const liveClosed = own && own !== this.server ? new Promise(resolve => own.close(resolve)) : Promise.resolve();
    await this.liveQueryServer?.shutdown();
    // A server that is being started is stopped when it is there.
    await this.starting?.catch(() => {});
    await this.process?.stop();
    this.config.state = 'stopped';
    this.starting = undefined;
    this.lines?.destroy();
    this.embedded.forget();
    connections.destroyAll();
    await Promise.all([closed, liveClosed]);
    this.config.serverCloseComplete?.();
  }

  /** Starts the server and an Express app that serves it. */
  async startApp(given) {
    try {
      await this.start();
    } catch (error) {
      console.error('Error on ParseServer.startApp: ', error);
      throw error;
    }
    try {
      await this.#listen(given);
    } catch (error) {
      this.server?.close();
      await this.process.stop();
      throw error;
    }
    if (!process.env.TESTING) {
      const stop = () => {
        process.stdout.write('Termination signal received. Shutting down.');
        this.handleShutdown();
      };
      process.on('SIGTERM', stop);
      process.on('SIGINT', stop);
      if (given.verifyServerUrl !== false) await ParseServer.verifyServerUrl();
    }
    return this;
  }

  /** Serves what `startApp` serves. */
  async #listen(given) {
    const express = require('express');
    const app = express();
    if (given.middleware) {
      const { middleware } = given;
      app.use(typeof middleware === 'string' ? require(path.resolve(process.cwd(), middleware)) : middleware);
    }
    app.use(given.mountPath, this.app);
    if (given.mountGraphQL === true || given.mountPlayground === true) {
      const { ParseGraphQLServer } = require('./ParseGraphQLServer');
      const { graphQLPath, playgroundPath } = given;
      const graphQL = new ParseGraphQLServer(this, { graphQLPath, playgroundPath });
      if (given.mountGraphQL) graphQL.applyGraphQL(app);
      if (given.mountPlayground) graphQL.applyPlayground(app);
    }
    if (given.trustProxy) app.set('trust proxy', given.trustProxy);
    this.server = await new Promise((resolve, reject) => {
      const server = http.createServer(app).once('error', reject);
      server.listen(given.port, given.host, () => resolve(server));
    });
    connections.track(this.server);
    if (given.startLiveQueryServer || given.liveQueryServerOptions) {
      this.liveQueryServer = await ParseServer.createLiveQueryServer(this.server, given.liveQueryServerOptions, given);
      if (this.liveQueryServer.server !== this.server) connections.track(this.liveQueryServer.server);
    }
    this.expressApp = app;
  }

  /** Makes a server and starts it with an Express app. */
  static async startApp(given) {
    return new ParseServer(given).startApp(given);
  }

  /** Serves live queries on an HTTP server of the program, or on one of its own. */
  static async createLiveQueryServer(httpServer, config, given) {
    const server = new LiveQueryServer(httpServer, config, given);
    await server.connect();
    return server;
  }

  /** Whether the server is reached at `Parse.serverURL`; warns if it is not. */
  static verifyServerUrl() {
    return verifyServerUrl(Parse.serverURL);
  }

  /** The middleware of a server with these options. */
  static app(given) {
    return new ParseServer(given).app;
  }

  /** Mounts the program's `requestContextMiddleware` into an app of its own. */
  static applyRequestContextMiddleware(api, { requestContextMiddleware } = {}) {
    if (!requestContextMiddleware) return;
    if (typeof requestContextMiddleware !== 'function') throw new Error('requestContextMiddleware must be a function');
    api.use(requestContextMiddleware);
  }

  static promiseRouter() {
    throw new Error('ParseServer.promiseRouter: requests are not routed in this program, but by the server');
  }
}

async function runCloud(cloud) {
  if (cloud === undefined || cloud === null) return;
  if (typeof cloud === 'function') await cloud(Parse);
  else if (typeof cloud === 'string') await load.loadMain(path.resolve(process.cwd(), cloud));
  else throw "argument 'cloud' must either be a string or a function";
}

function refuse(res, state) {
  res.statusCode = 500;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end(JSON.stringify({ code: 1, error: `Invalid server state: ${state}` }));
}

module.exports = { ParseServer };
