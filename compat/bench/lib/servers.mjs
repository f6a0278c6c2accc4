// The servers that are compared, each configured as in production.
import http from 'node:http';
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { compatDir, mongoUri } from '../../lib/env.mjs';
import { send } from '../../lib/http.mjs';
import { Child } from '../../lib/process.mjs';
import { Server, writeConfig } from '../../lib/server.mjs';
import { freshDatabase } from '../../lib/stores.mjs';

export const binary = path.resolve(process.env.REPARSE_BENCH_BIN ?? path.join(compatDir, '../target/dist/reparse'));

/** Short name → how it is shown. `floor` is not a server: it is the bare driver on the database of `mongo`. */
export const contestants = {
  'parse-server': 'parse-server',
  mongo: 'reparse, MongoDB',
  embedded: 'reparse, embedded',
  floor: 'bare driver',
};

const options = {
  mountGraphQL: true,
  graphQLPath: '/graphql',
  silent: true,
  fileUpload: { enableForPublic: true },
  maxUploadSize: '25mb',
  verbose: false,
};

/** What to start, without starting it; `under` is a command that runs the server, as valgrind does. */
export async function prepare(which, { database, bcryptCost, options: more, under = [] } = {}) {
  const uri = database ?? freshDatabase(which === 'embedded' ? 'embedded' : 'mongo');
  const { file, config, dir } = await writeConfig({ ...options, ...more }, { database: uri });
  const env = { NODE_ENV: 'production', NODE_NO_WARNINGS: '1', PARSE_SERVER_LOGS_FOLDER: 'null' };
  const cost = bcryptCost ? { REPARSE_BCRYPT_COST: String(bcryptCost) } : {};
  const main = path.join(compatDir, 'node_modules/parse-server/bin/parse-server');
  const command = which === 'parse-server' ? [process.execPath, main, file] : [binary, file];
  return { which, command: [...under, ...command], env: which === 'parse-server' ? env : cost, cwd: dir, config, database: uri };
}

export class Contestant extends Server {
  constructor(prepared) {
    const { command, env, cwd, config } = prepared;
    super(new Child(command[0], command.slice(1), { env, cwd }), config.port, config);
    this.which = prepared.which;
    this.database = prepared.database;
    this.address = `127.0.0.1:${config.port}`;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  }

  /** A request with the master key that must succeed; returns the body. */
  async must(method, where, json, { master = true, ...more } = {}) {
    const answer = await this.request(method, where, { master, json, agent: this.agent, ...more });
    if (answer.status >= 300) throw new Error(`${this.which}: ${method} ${where}: ${answer.status} ${answer.text.slice(0, 500)}`);
    return answer.body;
  }

  async stop() {
    this.agent.destroy();
    return super.stop();
  }
}

export async function start(which, more) {
  return new Contestant(await prepare(which, more)).ready();
}

/** The process id and version of the mongod. */
export async function mongodFacts() {
  const client = await new MongoClient(mongoUri()).connect();
  try {
    const { pid, version } = await client.db('admin').command({ serverStatus: 1 });
    return { pid: Number(pid), version };
  } finally {
    await client.close();
  }
}

/** Removes a MongoDB database. */
export async function dropDatabase(uri) {
  if (!uri.startsWith('mongodb')) return;
  const client = await new MongoClient(uri).connect();
  try {
    await client.db().dropDatabase();
  } finally {
    await client.close();
  }
}

export { send };
