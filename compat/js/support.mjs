// The Parse JavaScript SDK against a server of its own. One server and one empty database a test file.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, beforeEach } from 'node:test';
import Parse from 'parse/node';
import { keys, startServer } from '../lib/server.mjs';

export { Parse };
Parse.User.enableUnsafeCurrentUser();

/**
 * Registers the hooks of a test file: a server with these options, which the SDK talks to. Before each test nobody is
 * logged in. `prepare` runs once the server is up. The returned object has the server as `server` once the tests run.
 */
export function useServer({ prepare, ...options } = {}) {
  const held = {};
  before(async () => {
    held.server = await startServer({ allowClientClassCreation: true, ...options });
    Parse.initialize(keys.appId, undefined, keys.masterKey);
    Parse.serverURL = held.server.url;
    await prepare?.();
  });
  beforeEach(() => forgetUser());
  after(() => held.server?.stop());
  return held;
}

/** The SDK forgets the session; no request is sent. */
export async function forgetUser() {
  await Parse.User._clearCache();
  await Parse.Storage?.removeItemAsync?.(Parse.Storage.generatePath('currentUser'));
}

export const asMaster = { useMasterKey: true };
export const as = user => ({ sessionToken: user.getSessionToken() });

/** A text that no other test uses. */
export const unique = (prefix = 'user') => `${prefix}-${crypto.randomBytes(6).toString('hex')}`;

/** Signs up a user; afterwards nobody is logged in, so tests name the caller of each request. */
export async function signUp(fields = {}) {
  const user = new Parse.User();
  await user.signUp({ username: unique(), password: 'secret', ...fields });
  await forgetUser();
  return user;
}

/**
 * Logs a user in on another device and returns the session token. (The SDK has one installation id, and a server keeps
 * one session a user and installation.)
 */
export async function logInElsewhere(user, password = 'secret') {
  const body = { username: user.getUsername(), password };
  return (await request('POST', 'login', body, { installationId: unique('device') })).sessionToken;
}

/** The promise fails with this Parse error code; with `message`, with this text (or text that matches). */
export async function rejects(promise, code, message) {
  const error = await promise.then(
    value => assert.fail(`expected error ${code}, got ${JSON.stringify(value)}`),
    reason => reason,
  );
  if (error instanceof assert.AssertionError) throw error;
  assert.equal(error.code, code, `${error.code} ${error.message}`);
  if (message instanceof RegExp) assert.match(error.message, message);
  else if (message !== undefined) assert.equal(error.message, message);
  return error;
}

/** A request of the SDK's own controller: for bodies that its classes would not let through. */
export const request = (method, path, body = {}, options = {}) =>
  Parse.CoreManager.getRESTController().request(method, path, body, options);

/** The ids of objects, sorted: results as sets. */
export const ids = objects => objects.map(object => object.id).sort();
