'use strict';
// Modules that options name: adapters, which are made with their options, and callbacks.
const { createRequire } = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { Reply } = require('./channel');
const { ProtocolError, SCRIPT_FAILED } = require('./errors');

/** Loads a file or package as CommonJS, or as an ES module where it is one. */
async function importAny(name, folder) {
  const fromFolder = createRequire(path.join(folder, 'index.js'));
  const file = fromFolder.resolve(name.startsWith('.') ? path.resolve(folder, name) : name);
  try {
    return fromFolder(file);
  } catch (error) {
    if (error?.code !== 'ERR_REQUIRE_ESM' && error?.code !== 'ERR_REQUIRE_ASYNC_MODULE') throw error;
    return import(pathToFileURL(file));
  }
}

/** The adapter that a module makes: a class is constructed, a function is called, anything else is the adapter. */
function construct(exported, options) {
  const made = exported?.default ?? exported;
  if (typeof made !== 'function') return made;
  try {
    const result = made(options);
    if (result !== undefined && result !== null) return result;
  } catch (error) {
    if (!/class constructor|cannot be invoked without 'new'/i.test(String(error?.message))) throw error;
  }
  return new made(options);
}

function methodsOf(value) {
  const names = new Set();
  for (let object = value; object && object !== Object.prototype && object !== Function.prototype; object = Object.getPrototypeOf(object)) {
    for (const name of Object.getOwnPropertyNames(object)) {
      const property = Object.getOwnPropertyDescriptor(object, name);
      if (name !== 'constructor' && typeof property.value === 'function') names.add(name);
    }
  }
  return [...names];
}

/** @param given values that a foreign program gave for options, by their name */
function install({ folder = process.cwd(), given = {} } = {}) {
  const loaded = new Map();

  async function load({ handle, module: name, options, construct: isAdapter }) {
    let exported;
    if (name.startsWith('option:')) {
      const option = name.slice('option:'.length);
      if (!Object.hasOwn(given, option)) throw new ProtocolError(SCRIPT_FAILED, `the program has no option ${option}`);
      exported = given[option];
    } else {
      exported = await importAny(name, folder);
    }
    const value = isAdapter && !name.startsWith('option:') ? construct(exported, options) : (exported?.default ?? exported);
    loaded.set(handle, value);
    return { callable: typeof value === 'function', methods: methodsOf(value), policy: policyOf(value) };
  }

  const decode = (value, attachment) => {
    if ('json' in value) return revive(value.json);
    if ('date' in value) return new Date(value.date);
    if ('bytes' in value) return Buffer.from(attachment.subarray(value.bytes[0], value.bytes[0] + value.bytes[1]));
    return undefined;
  };

  async function call({ handle, method, arguments: given }, attachment) {
    const target = loaded.get(handle);
    const callee = method === undefined ? target : target?.[method];
    if (typeof callee !== 'function') throw new ProtocolError(SCRIPT_FAILED, `the module has no method ${method ?? ''}`);
    const result = await callee.apply(method === undefined ? undefined : target, given.map(value => decode(value, attachment)));
    if (result === undefined || typeof result === 'function') return { undefined: true };
    if (Buffer.isBuffer(result) || ArrayBuffer.isView(result)) {
      const bytes = Buffer.from(result.buffer, result.byteOffset, result.byteLength);
      return new Reply({ bytes: [0, bytes.length] }, bytes);
    }
    return { json: plain(result) };
  }

  return {
    load,
    module: ({ name, payload }, attachment) => (name === 'load' ? load(payload) : call(payload, attachment)),
  };
}

/** What a provider of identities is needed for, which adapters say in a property. */
const policyOf = value => (typeof value?.policy === 'string' ? value.policy : undefined);

/** JSON as adapters see it: objects of Parse are such. */
function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  if (value.__type === 'Object' && typeof value.className === 'string') return globalThis.Parse.Object.fromJSON(value);
  for (const key of Object.keys(value)) value[key] = revive(value[key]);
  return value;
}

/** Values as JSON, with dates in Parse's form. */
function plain(value) {
  if (value instanceof Date) return { __type: 'Date', iso: value.toISOString() };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.toJSON === 'function') return plain(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

module.exports = { construct, importAny, install };
