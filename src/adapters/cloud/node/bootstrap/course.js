'use strict';
// The course of a request: which client request led to the code that runs, and how deep its calls are nested.
const { AsyncLocalStorage } = require('node:async_hooks');

const storage = new AsyncLocalStorage();
const OUTSIDE = { request: '', depth: 0 };

module.exports = {
  /** `{request, depth}` of the running code. */
  current: () => storage.getStore() ?? OUTSIDE,
  /** Runs a function in the course of a request. */
  run: (course, work) => storage.run(course, work),
};
