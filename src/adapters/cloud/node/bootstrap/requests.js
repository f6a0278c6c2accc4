'use strict';
// What every handler's request has.
const course = require('./course');
const { logger } = require('./logs');

/** A property that is made when it is first looked at. Building Parse objects costs more than most handlers do. */
function lazy(target, key, make) {
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: true,
    get() {
      const value = make();
      Object.defineProperty(target, key, { configurable: true, enumerable: true, writable: true, value });
      return value;
    },
    set(value) {
      Object.defineProperty(target, key, { configurable: true, enumerable: true, writable: true, value });
    },
  });
}

/** A Parse.User with its session token. */
function userOf(Parse, json) {
  return Parse.Object.fromJSON({ ...json, className: '_User' });
}

/** The keys that triggers of all kinds have. */
function triggerRequest(Parse, type, payload) {
  const request = { triggerName: type, master: payload.master ?? false, isReadOnly: payload.isReadOnly ?? false, log: logger };
  request.headers = payload.headers;
  request.ip = payload.ip;
  request.config = course.config(Parse);
  if (payload.user) lazy(request, 'user', () => userOf(Parse, payload.user));
  if (payload.installationId) request.installationId = payload.installationId;
  return request;
}

/** Adds the context after the handler to an answer, unless it was empty and still is. */
function contextAfter(request, payload, answer) {
  const keys = context => (context !== null && typeof context === 'object' ? Object.keys(context).length : 0);
  if (keys(request.context) > 0 || keys(payload.context) > 0) answer.context = request.context ?? {};
  return answer;
}

module.exports = { contextAfter, lazy, triggerRequest, userOf };
