'use strict';
// The options of a program as the server takes them: JSON, and by name what has no JSON form and stays in the program.
const { builtIn, isBare } = require('./adapters/built-in');
const { modules } = require('./bootstrap');

const DEFAULTS = { databaseURI: 'mongodb://localhost:27017/parse', mountPath: '/parse', port: 1337, graphQLPath: '/graphql', playgroundPath: '/playground' };

/** What this package does itself. */
const OWN = new Set(['cloud', 'cluster', 'middleware', 'requestContextMiddleware', 'serverCloseComplete', 'serverStartComplete', 'startLiveQueryServer', 'state', 'verifyServerUrl']);

/** What has no meaning, and why. */
const REFUSED = {
  databaseAdapter: 'the server has stores of its own: name one with databaseURI (mongodb://… or file:…)',
};

/** Options that are adapters: an instance, a class, a function that makes one, or the name of a module. */
const ADAPTERS = [
  'analyticsAdapter', 'cacheAdapter', 'emailAdapter', 'filesAdapter', 'loggerAdapter', 'push.adapter', 'push.queueOptions.messageQueueAdapter',
  'liveQuery.pubSubAdapter', 'liveQuery.wssAdapter', 'liveQueryServerOptions.pubSubAdapter', 'liveQueryServerOptions.wssAdapter',
];

/** Methods without which an adapter is none. */
const METHODS = {
  analyticsAdapter: ['appOpened', 'trackEvent'],
  emailAdapter: ['sendMail'],
  filesAdapter: ['createFile', 'deleteFile', 'getFileData', 'getFileLocation'],
  loggerAdapter: ['log'],
};

/** Options that may be functions, which the server calls in the program. */
const CALLBACKS = [
  'verifyUserEmails', 'preventLoginWithUnverifiedEmail', 'sendUserEmailVerification', 'passwordPolicy.validatorCallback',
  'schema.beforeMigration', 'schema.afterMigration', 'pages.customRoutes[].handler', 'pages.placeholders',
];

/** Milliseconds in which functions that are asked at the start must have answered: as long as cloud code has. */
const ASK_TIME = 60_000;

/** Options that may be functions, which are asked at the start; the one for the master key again after `masterKeyTtl`. */
const ASKED = ['masterKey', 'publicServerURL'];

const general = path => path.replace(/\[\d+\]/g, '[]');
const refuse = (path, reason) => {
  throw new Error(`option ${path}: ${reason}`);
};

/** Whether a value is an adapter itself, not the description of one. */
function isInstance(value) {
  if (typeof value === 'function') return true;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return true;
  return Object.values(value).some(inner => typeof inner === 'function');
}

class Reader {
  constructor() {
    /** By name: what stays in the program. */
    this.given = {};
    this.above = new Set();
  }

  keep(path, value) {
    this.given[path] = value;
    return `option:${path}`;
  }

  /** An adapter as the server takes it. */
  adapter(path, value) {
    if (value === undefined || value === null || typeof value === 'string') return value;
    let [adapter, options] = [value, undefined];
    if (!isInstance(value)) {
      adapter = value.module ?? value.class ?? value.adapter;
      options = value.options;
    } else if (typeof value.adapter === 'object' && isInstance(value.adapter) && !value[builtIn]) {
      [adapter, options] = [value.adapter, value.options];
    }
    if (adapter === undefined || typeof adapter === 'string') return this.json(path, value);
    const made = modules.construct(adapter, options);
    const described = made?.[builtIn];
    if (described && !isBare(made)) return refuse(path, 'the server has this adapter itself, and cannot call methods that a program adds to it');
    if (described) return { module: described.module, options: this.json(path, described.options) };
    for (const method of METHODS[path] ?? []) {
      if (typeof made?.[method] !== 'function') refuse(path, `it has no method ${method}`);
    }
    return { module: this.keep(path, made) };
  }

  /** An identity provider: an adapter whose settings stand beside it. */
  provider(path, value) {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return this.json(path, value);
    if (isInstance(value) && !isInstance(value.module)) return { module: this.keep(path, modules.construct(value)) };
    const { module, ...settings } = value;
    if (module === undefined || typeof module === 'string') return this.json(path, value);
    return { ...this.json(path, settings), module: this.keep(path, modules.construct(module, settings)) };
  }

  json(path, value) {
    switch (typeof value) {
      case 'function':
        if (CALLBACKS.includes(general(path))) return { module: this.keep(path, value) };
        return refuse(path, 'it cannot be a function');
      case 'bigint':
      case 'symbol':
        return refuse(path, `it cannot be a ${typeof value}`);
      case 'number':
        return Number.isFinite(value) ? value : refuse(path, `it cannot be ${value}`);
      case 'object':
        return this.object(path, value);
      default:
        return value;
    }
  }

  object(path, value) {
    if (value === null || value instanceof Date) return value;
    if (value instanceof RegExp) return value.source;
    if (typeof value.toJSON === 'function') return this.json(path, value.toJSON());
    if (path === 'graphQLSchema') return schemaText(value);
    if (path === 'security.checkGroups') return refuse(path, 'checks of your own cannot run in the server');
    if (this.above.has(value)) return refuse(path, 'it contains itself');
    this.above.add(value);
    const read = Array.isArray(value)
      ? value.map((inner, index) => this.json(`${path}[${index}]`, inner) ?? null)
      : this.members(path, value);
    this.above.delete(value);
    return read;
  }

  members(path, value) {
    const read = {};
    for (const [key, inner] of Object.entries(value)) {
      if (inner === undefined) continue;
      const name = path ? `${path}.${key}` : key;
      if (ADAPTERS.includes(name)) read[key] = this.adapter(name, inner);
      else if (path === 'auth') read[key] = this.provider(name, inner);
      else read[key] = this.json(name, inner);
    }
    return read;
  }
}

/** A parsed GraphQL schema as the text that it was parsed from. */
function schemaText(schema) {
  return schema.loc?.source?.body ?? refuse('graphQLSchema', 'give a file, a text or a parsed document; schema objects cannot be used');
}

/** A pattern with flags, which has no text form, as a function. */
function unfold(options) {
  const pattern = options.passwordPolicy?.validatorPattern;
  if (!(pattern instanceof RegExp) || pattern.flags.replace('u', '') === '') return options;
  const { validatorPattern, validatorCallback, ...policy } = options.passwordPolicy;
  const matches = new RegExp(validatorPattern.source, validatorPattern.flags.replace(/[gy]/g, ''));
  const callback = validatorCallback
    ? async password => matches.test(password) && validatorCallback(password)
    : password => matches.test(password);
  return { ...options, passwordPolicy: { ...policy, validatorCallback: callback } };
}

/**
 * Reads the options of a program.
 * @returns {Promise<{options: object, given: object, listens: boolean, givesMasterKey: boolean}>} the server's options, the values
 *   that stay in the program by their names, whether the server listens itself, and whether the master key is a function's
 */
async function read(options) {
  const asked = { ...unfold(options) };
  const limit = asked.reparse?.cloudTimeoutMs;
  for (const key of ASKED) {
    if (typeof asked[key] !== 'function') continue;
    asked[key] = await answered(key, asked[key](), Number.isInteger(limit) ? limit : ASK_TIME);
    if (typeof asked[key] !== 'string') refuse(key, `the function must give a text, not ${typeof asked[key]}`);
  }
  for (const [key, reason] of Object.entries(REFUSED)) {
    if (asked[key] !== undefined && asked[key] !== null) refuse(key, reason);
  }
  if (asked.requestContextMiddleware && typeof asked.requestContextMiddleware !== 'function') {
    throw new Error('requestContextMiddleware must be a function');
  }
  if (typeof (asked.reparse ?? {}) !== 'object') refuse('reparse', 'it must be an object');
  const { listen, ...reparse } = asked.reparse ?? {};
  delete asked.reparse;
  if (!['undefined', 'boolean', 'number'].includes(typeof listen)) refuse('reparse.listen', 'it must be true, false or a port');
  for (const key of OWN) delete asked[key];
  const listens = listen !== undefined && listen !== false;
  // The program looks at proxies where it takes the requests.
  if (!listens) delete asked.trustProxy;
  if (typeof listen === 'number') asked.port = listen;
  if (asked.liveQuery || asked.liveQueryServerOptions) {
    asked.startLiveQueryServer = true;
    // The program listens for them.
    if (asked.liveQueryServerOptions) asked.liveQueryServerOptions = { ...asked.liveQueryServerOptions, port: undefined };
  }
  const reader = new Reader();
  const json = reader.members('', { ...DEFAULTS, ...defined(asked), mountGraphQL: true, mountPlayground: true });
  if (Object.keys(reparse).length > 0) json.reparse = reader.json('reparse', reparse);
  const givesMasterKey = typeof options.masterKey === 'function';
  return { options: json, given: reader.given, listens, givesMasterKey };
}

/** What a function of an option has answered; fails if it does not in so many milliseconds. */
async function answered(key, answer, limit) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`option ${key}: the function did not answer in ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

const defined = object => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

module.exports = { DEFAULTS, read };
