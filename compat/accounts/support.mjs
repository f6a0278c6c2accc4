// Helpers shared by the account suites.
import { freePort } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';

/** A server that knows its own public address, with a name, whose mails go through this adapter. */
export async function startWithMail(emailAdapter, options = {}, more) {
  const port = await freePort();
  return startServer({ port, appName: 'Demo', publicServerURL: `http://127.0.0.1:${port}/parse`, verifyUserEmails: true, emailAdapter, ...options }, more);
}

export const signUp = (server, fields) => server.request('POST', '/users', { json: { password: 'first', ...fields } });
export const logIn = (server, username, password, more = {}) => server.request('POST', '/login', { json: { username, password, ...more } });
/** The stored user with its internal columns. */
export const row = async (server, id) => (await server.request('GET', `/users/${id}`, { maintenance: true })).body;
