// A server with the app's cloud code and adapters, and what the clients of it need.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Parse from 'parse/node';
import { sleep } from '../../lib/net.mjs';
import { keys, startServer } from '../../lib/server.mjs';
import { freshDatabase } from '../../lib/stores.mjs';
import { tempDir } from '../../lib/temp.mjs';

export const here = path.dirname(fileURLToPath(import.meta.url));

/** Options that every server of the app has. */
export function appOptions() {
  return {
    cloud: path.join(here, 'cloud/main.js'),
    allowClientClassCreation: true,
    appName: 'Signatures',
    publicServerURL: 'http://localhost/parse',
    maxUploadSize: '1mb',
    fileUpload: { enableForAuthenticatedUser: true },
  };
}

/** The server, and the SDK as its client. */
export class App {
  static async start(options = {}, { database = freshDatabase(), ...more } = {}) {
    const app = new App();
    app.database = database;
    app.server = await startServer({ ...appOptions(), ...options }, { database, ...more });
    return app;
  }

  /** With its own adapters. */
  static async startWithAdapters() {
    const mailbox = path.join(tempDir('reparse-app'), 'mail');
    const app = await App.start({
      emailAdapter: { module: path.join(here, 'adapters/mail.cjs'), options: { file: mailbox, from: 'app@example.com' } },
      auth: { badge: { enabled: true, module: path.join(here, 'adapters/badge.cjs'), options: { secret: 's3cret' }, secret: 's3cret' } },
    });
    app.mailbox = mailbox;
    return app;
  }

  /** The mail sent since the last call. */
  mail() {
    if (!fs.existsSync(this.mailbox)) return [];
    const lines = fs.readFileSync(this.mailbox, 'utf8').split('\n').filter(Boolean);
    fs.rmSync(this.mailbox);
    return lines.map(line => JSON.parse(line));
  }

  stop() {
    return this.server.stop();
  }
}

/** The SDK talks to this app. */
export function use(app) {
  Parse.initialize(keys.appId, undefined, keys.masterKey);
  Parse.serverURL = app.server.url;
}

export const master = { useMasterKey: true };

/** Calls a function, with a session token if there is one. */
export const run = (name, params = {}, sessionToken) => Parse.Cloud.run(name, params, sessionToken ? { sessionToken } : {});

/** The promise fails with this code and text. */
export async function refused(promise, code, message) {
  const error = await promise.then(value => assert.fail(`answered ${JSON.stringify(value)}`), error => error);
  assert.deepEqual({ code: error.code, message: error.message }, { code, message });
}

/** The row of a run of a job, once it has ended. */
export async function ended(id) {
  for (;;) {
    const row = await Parse.Cloud.getJobStatus(id);
    if (row.get('status') !== 'running') return row;
    await sleep(50);
  }
}
