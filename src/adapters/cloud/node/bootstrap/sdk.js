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
  Parse.Hooks = hooksOf(Parse);
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

/** `Parse.Hooks`, which builds for browsers leave out: functions and triggers that are web hooks. */
function hooksOf(Parse) {
  const send = (method, parts, body = {}) =>
    Parse.CoreManager.getRESTController().request(method, ['hooks', ...parts].map(encodeURIComponent).join('/'), body, { useMasterKey: true });

  /** The address of a declared hook below `/hooks`; with `all`, of its kind. */
  async function place({ functionName, className, triggerName } = {}, { all = false } = {}) {
    if (functionName) return all ? ['functions'] : ['functions', functionName];
    if (className && triggerName) return all ? ['triggers'] : ['triggers', className, triggerName];
    throw new Parse.Error(143, 'invalid hook declaration');
  }

  const create = async hook => send('POST', await place(hook, { all: true }), hook);
  const update = async hook => send('PUT', await place(hook), { url: hook.url });
  const remove = async hook => send('PUT', await place(hook), { __op: 'Delete' });

  return {
    getFunctions: () => send('GET', ['functions']),
    getTriggers: () => send('GET', ['triggers']),
    getFunction: functionName => send('GET', ['functions', functionName]),
    getTrigger: (className, triggerName) => send('GET', ['triggers', className, triggerName]),
    createFunction: (functionName, url) => create({ functionName, url }),
    createTrigger: (className, triggerName, url) => create({ className, triggerName, url }),
    create,
    updateFunction: (functionName, url) => update({ functionName, url }),
    updateTrigger: (className, triggerName, url) => update({ className, triggerName, url }),
    update,
    removeFunction: functionName => remove({ functionName }),
    removeTrigger: (className, triggerName) => remove({ className, triggerName }),
    remove,
  };
}

module.exports = { load, resolve };
