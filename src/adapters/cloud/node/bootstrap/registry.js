'use strict';
// What the app has registered. The server gets a snapshot whenever it has changed.
const { logger } = require('./logs');

class Registry {
  constructor() {
    this.functions = new Map();
    this.triggers = new Map();
    this.jobs = new Map();
    this.liveQueryHandlers = [];
    this.changed = false;
    /** Runs after each registration. */
    this.onChange = () => {};
  }

  #change() {
    this.changed = true;
    this.onChange();
  }

  addFunction(name, handler, validator) {
    if (this.functions.has(name)) logger.warn(`Warning: the cloud function ${name} is defined twice; the last one counts.`);
    this.functions.set(name, { handler, validator, takesResponse: handler?.length >= 2 });
    this.#change();
  }

  addTrigger(type, className, handler, validator) {
    const key = `${type}:${className}`;
    if (this.triggers.has(key)) logger.warn(`Warning: the trigger ${type} of ${className} is defined twice; the last one counts.`);
    this.triggers.set(key, { type, className, handler, validator });
    this.#change();
  }

  addJob(name, handler) {
    if (this.jobs.has(name)) logger.warn(`Warning: the job ${name} is defined twice; the last one counts.`);
    this.jobs.set(name, handler);
    this.#change();
  }

  addLiveQueryHandler(handler) {
    this.liveQueryHandlers.push(handler);
    this.#change();
  }

  function(name) {
    return this.functions.get(name);
  }

  trigger(type, className) {
    return this.triggers.get(`${type}:${className}`);
  }

  /** The snapshot for the server: names and the options that it must know. */
  snapshot() {
    const triggers = {};
    for (const { type, className, validator } of this.triggers.values()) {
      (triggers[type] ??= Object.create(null))[className] = optionsOf(validator);
    }
    return {
      functions: Object.fromEntries([...this.functions].map(([name, { validator }]) => [name, optionsOf(validator)])),
      triggers,
      jobs: [...this.jobs.keys()],
      liveQueryEvents: this.liveQueryHandlers.length > 0,
    };
  }
}

function optionsOf(validator) {
  if (validator === null || typeof validator !== 'object') return {};
  const options = {};
  if (validator.rateLimit) options.rateLimit = validator.rateLimit;
  if (validator.skipWithMasterKey) options.skipWithMasterKey = true;
  return options;
}

module.exports = { Registry };
