// Starts servers: the binary under test, or npm parse-server as the reference.
import fs from 'node:fs';
import path from 'node:path';
import { binary, compatDir, target } from './env.mjs';
import { send } from './http.mjs';
import { freePort, sleep } from './net.mjs';
import { Child } from './process.mjs';
import { freshDatabase } from './stores.mjs';
import { tempDir } from './temp.mjs';

export const keys = { appId: 'app', masterKey: 'master', maintenanceKey: 'maint' };

/** The lowest bcrypt cost, so that the suites are fast. */
const fast = { REPARSE_BCRYPT_COST: '4' };

export class Server {
  constructor(child, port, options) {
    this.child = child;
    this.port = port;
    this.options = options;
    this.root = `http://127.0.0.1:${port}`;
    this.url = this.root + options.mountPath;
  }

  /** One request below the mount path. `session`, `master`, `installation` are shorthands for headers. */
  request(method, where, { session, master, maintenance, installation, headers = {}, ...rest } = {}) {
    const all = { 'X-Parse-Application-Id': this.options.appId };
    if (session) all['X-Parse-Session-Token'] = session;
    if (master) all['X-Parse-Master-Key'] = this.options.masterKey;
    if (maintenance) all['X-Parse-Maintenance-Key'] = this.options.maintenanceKey;
    if (installation) all['X-Parse-Installation-Id'] = installation;
    return send(this.url + where, { method, headers: { ...all, ...headers }, ...rest });
  }

  /** Resolves once `/health` says ok; fails with the server's own words if it ends before. */
  async ready(limit = 60_000) {
    const end = Date.now() + limit;
    while (this.child.alive && Date.now() < end) {
      try {
        const answer = await send(`${this.url}/health`, { timeout: 5000 });
        if (answer.body?.status === 'ok') return this;
      } catch {
        // not listening yet
      }
      await sleep(25);
    }
    const why = this.child.alive ? `not healthy after ${limit} ms` : 'ended at once';
    await this.child.kill();
    throw new Error(`the server ${why}:\n${this.child.output.slice(-3000)}`);
  }

  stop() {
    return this.child.stop();
  }

  kill() {
    return this.child.kill();
  }
}

/** Writes a configuration file and returns its path and content. */
export async function writeConfig(options = {}, { dir = tempDir(), database } = {}) {
  const port = options.port ?? (await freePort());
  const config = {
    ...keys,
    port,
    host: '127.0.0.1',
    mountPath: '/parse',
    serverURL: `http://127.0.0.1:${port}/parse`,
    databaseURI: database ?? freshDatabase(),
    ...options,
  };
  const file = path.join(dir, 'config.json');
  fs.writeFileSync(file, JSON.stringify(config, null, 2));
  return { file, config, dir };
}

/** Runs the binary with these arguments; for servers that are not expected to come up. */
export function spawnReparse(args, { env, cwd } = {}) {
  return new Child(binary, args, { env: { ...fast, ...env }, cwd });
}

async function startReparse(options, { database, args = [], env, cwd } = {}) {
  const { file, config, dir } = await writeConfig(options, { database });
  const child = spawnReparse([...args, file], { env, cwd: cwd ?? dir });
  return new Server(child, config.port, config).ready();
}

async function startReference(options, { database, cwd, env } = {}) {
  // the reference knows MongoDB only
  const uri = database?.startsWith('mongodb') ? database : freshDatabase('mongo');
  const { file, config, dir } = await writeConfig(options, { database: uri });
  const main = path.join(compatDir, 'node_modules/parse-server/bin/parse-server');
  const child = new Child(process.execPath, [main, file], { cwd: cwd ?? dir, env: { PARSE_SERVER_LOGS_FOLDER: 'null', NODE_ENV: 'production', NODE_NO_WARNINGS: '1', ...env } });
  return new Server(child, config.port, config).ready();
}

/**
 * Starts a server with parse-server's options on an empty database, or on `database`, and waits until it is healthy.
 * `which` is `reparse` or `reference`; without it the environment decides (`lib/env.mjs`).
 */
export function startServer(options = {}, { which = target, ...more } = {}) {
  return which === 'reference' ? startReference(options, more) : startReparse(options, more);
}
