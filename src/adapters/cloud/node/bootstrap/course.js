'use strict';
// The course of a request: which client request led to the code that runs, and how deep its calls are nested.
const { AsyncLocalStorage } = require('node:async_hooks');

const storage = new AsyncLocalStorage();
const OUTSIDE = { request: '', depth: 0 };

/** What a program's middleware made of the options for one request, by the request's id. */
const configs = new Map();

module.exports = {
  configs,
  /** The options as the running code sees them. */
  config: Parse => configs.get(storage.getStore()?.request) ?? Parse.Server,
  /** `{request, depth, trace?}` of the running code. */
  current: () => storage.getStore() ?? OUTSIDE,
  /** Runs a function in the course of a request. */
  run: (course, work) => storage.run(course, work),
};
