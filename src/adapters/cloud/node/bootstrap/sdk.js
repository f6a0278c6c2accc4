'use strict';
// The SDK: the one that the app's parse-server brought, else the app's own, else the one carried by the server.
const { createRequire } = require('node:module');

/** Resolves `parse/node` as a file of the app would. */
function resolve(appFile) {
  const fromApp = createRequire(appFile);
  try {
    return createRequire(fromApp.resolve('parse-server/package.json')).resolve('parse/node');
  } catch {
    // The app has no parse-server.
  }
  try {
    return fromApp.resolve('parse/node');
  } catch {
    return null;
  }
}

/** Loads the SDK and sets it up for the server of these options. */
function load(appFile, options) {
  const own = resolve(appFile);
  const Parse = own ? require(own) : carried();
  // A build for browsers that finds itself in Node says so in the log.
  Parse.CoreManager.set('IS_NODE', own !== null);
  Parse.initialize(options.appId, options.javascriptKey ?? 'unused', options.masterKey);
  Parse.CoreManager.set('IS_NODE', true);
  // Builds for browsers leave it out.
  Parse.CoreManager.set('MASTER_KEY', options.masterKey);
  Parse.serverURL = options.serverURL ?? options.publicServerURL ?? 'http://localhost:1337/parse';
  // Requests run beside each other: they must not share objects, and nobody is logged in.
  Parse.Object.disableSingleInstance();
  Parse.User.disableUnsafeCurrentUser();
  globalThis.Parse = Parse;
  return Parse;
}

/** The carried SDK is a build for browsers, the only one without dependencies; it gets what it expects of one. */
function carried() {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'Parse');
  delete globalThis.Parse;
  // Node 18 has it in a module only.
  globalThis.crypto ??= require('node:crypto').webcrypto;
  require('./parse/parse.min.js');
  const Parse = globalThis.Parse;
  if (before) Object.defineProperty(globalThis, 'Parse', before);
  const items = new Map();
  Parse.CoreManager.setStorageController({
    async: 0,
    getItem: key => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, String(value)),
    removeItem: key => void items.delete(key),
    getAllKeys: () => [...items.keys()],
    clear: () => items.clear(),
  });
  return Parse;
}

module.exports = { load, resolve };
