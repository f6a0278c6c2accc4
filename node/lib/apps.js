'use strict';
// The SDK is one for the whole program, as with parse-server, and the program may have several servers. Each has a view of the SDK of
// its own, in which the server's JavaScript is installed; what the program calls goes to the server in whose code it is, or else to
// the one whose application id the SDK has.
const { AsyncLocalStorage } = require('node:async_hooks');
const Parse = require('parse/node');
const { cloud, registry } = require('./bootstrap');

const running = new AsyncLocalStorage();
const apps = [];
/** Calls that came before there was a server to tell. */
let early = [];
const overHttp = Parse.CoreManager.getRESTController();

/** The app that code belongs to. */
function current() {
  const inside = running.getStore();
  if (inside && apps.includes(inside)) return inside;
  return apps.findLast(app => app.appId === Parse.applicationId) ?? apps.at(-1);
}

/** The app with this id, or if there is none the one that code belongs to. */
function find(appId) {
  return appId === undefined ? current() : apps.findLast(app => app.appId === appId);
}

class App {
  /** @param {object} parseServer whose app it is */
  constructor(parseServer) {
    const options = parseServer.config;
    this.parseServer = parseServer;
    this.appId = options.appId;
    this.registry = new registry.Registry();
    /** The channel to the server, once there is one. */
    this.channel = null;
    this.controller = overHttp;
    const core = { ...Parse.CoreManager, getRESTController: () => overHttp, setRESTController: it => (this.controller = it) };
    this.Parse = Object.create(Parse, { Cloud: { value: Object.create(sdkCloud) }, CoreManager: { value: core } });
    const call = (...args) => {
      if (!this.channel) return Promise.reject(new Error('The server has not been started.'));
      return this.channel.call(...args);
    };
    cloud.install(this.Parse, this.registry, { call }, options);
    this.remember();
    for (const [name, args] of early.splice(0)) this.Parse.Cloud[name](...args);
  }

  /** Runs a function as code of this app. */
  run(work) {
    return running.run(this, work);
  }

  /** Code is of this app from now on, unless it says otherwise. */
  remember() {
    if (!apps.includes(this)) apps.push(this);
  }

  forget() {
    const index = apps.indexOf(this);
    if (index >= 0) apps.splice(index, 1);
  }
}

/** Names of what the server's JavaScript adds to `Parse.Cloud`. */
function added() {
  const probe = { Cloud: {} };
  cloud.install(probe, null, null, {});
  return Object.keys(probe.Cloud);
}

const sdkCloud = { ...Parse.Cloud };
for (const name of added()) {
  Parse.Cloud[name] = (...args) => {
    const app = current();
    if (app) return app.Parse.Cloud[name](...args);
    early.push([name, args]);
  };
}
Object.defineProperty(Parse, 'Server', {
  configurable: true,
  enumerable: true,
  get: () => current()?.Parse.Server,
  set: changes => {
    const app = current();
    if (app) app.Parse.Server = changes;
  },
});
Parse.CoreManager.setRESTController({
  ...overHttp,
  request: (...args) => (current()?.controller ?? overHttp).request(...args),
  ajax: (...args) => (current()?.controller ?? overHttp).ajax(...args),
});
globalThis.Parse = Parse;

module.exports = { App, Parse, find };
