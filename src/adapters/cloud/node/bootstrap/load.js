'use strict';
// Joins the server: connects, shows the token, loads the app's code when the server asks for it.
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Channel } = require('./channel');
const cloud = require('./cloud');
const functions = require('./functions');
const logs = require('./logs');
const modules = require('./modules');
const { Registry } = require('./registry');
const rest = require('./rest');
const sdk = require('./sdk');
const triggers = require('./triggers');

const PROTOCOL = 1;

/** Whether main.js is imported: what npm says of the package it was started for, as parse-server has it. */
function isModulePackage() {
  if (process.env.npm_package_type === 'module') return true;
  const file = process.env.npm_package_json;
  return Boolean(file) && require(path.resolve(file)).type === 'module';
}

async function loadMain(file) {
  if (isModulePackage()) await import(pathToFileURL(file));
  else await modules.importAny(file, path.dirname(file));
}

/**
 * @param socket path of the server's socket
 * @param token the secret that lets a process join
 * @param takeConsole whether `console` goes to the server's log
 * @param run instead of a main file: the code of a program that joins by itself, called with `Parse`
 * @param given values of options that such a program gave
 * @param Parse the SDK of such a program, which has set it up
 * @param registry what such a program has registered already
 */
async function join({ socket, token, takeConsole, run, given, Parse: own, registry = new Registry() }) {
  const loadedModules = modules.install({ given });
  // The server calls `load` as soon as it has welcomed the process, maybe before this code sees the welcome.
  let joined;
  const whenJoined = new Promise(resolve => (joined = resolve));
  const handlers = {
    module: loadedModules.module,
    load: async ({ payload }) => load(await whenJoined, payload),
  };
  const channel = await Channel.connect(socket, handlers);
  const hello = { protocol: PROTOCOL, token, pid: process.pid, node: process.version };
  const { value: welcome } = await channel.call('hello', hello);
  logs.attach(channel, { takeConsole });
  joined(welcome.options);
  return channel;

  async function load(options, { main, modules: wanted }) {
    const file = main === null ? null : path.resolve(main);
    const Parse = own ?? sdk.load(file ?? path.resolve('index.js'), options);
    const roles = async user => (await channel.call('userRoles', { user })).value;
    rest.install(Parse, channel, options);
    cloud.install(Parse, registry, channel, options);
    Object.assign(handlers, functions.install(Parse, registry, channel, roles), triggers.install(Parse, registry, roles));
    for (const module of wanted) await loadedModules.load(module);
    if (run) await run(Parse);
    else if (file) await loadMain(file);
    registry.changed = false;
    // From here on the code may register more at any time; the server knows before it sees a call or an answer.
    channel.beforeSending = tellChanges;
    // What is registered in one go is told together.
    registry.onChange = () => queueMicrotask(tellChanges);
    return registry.snapshot();
  }

  function tellChanges() {
    if (!registry.changed || channel.socket.destroyed) return;
    registry.changed = false;
    channel.note('registrations', registry.snapshot());
    const telling = channel.arrived().then(() => {
      if (channel.telling === telling) channel.telling = null;
    });
    /** Resolves once the server knows what is registered; null if it does. */
    channel.telling = telling;
  }
}

module.exports = { join, loadMain };
