// A temporary mongod on a free port with its own data directory: a replica set of one member, another member of it, or a standalone.
import path from 'node:path';
import { MongoClient } from 'mongodb';
import { freePort, until } from './net.mjs';
import { Child } from './process.mjs';
import { dropDir, tempDir } from './temp.mjs';

export class Mongod {
  constructor(binary, port, { standalone = false } = {}) {
    this.binary = binary;
    this.port = port;
    this.standalone = standalone;
    this.dir = tempDir('reparse-mongod');
    this.uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  #spawn() {
    const args = ['--dbpath', this.dir, '--port', String(this.port), '--bind_ip', '127.0.0.1'];
    if (!this.standalone) args.push('--replSet', 'rs0');
    // journal and cache small: many short databases, few data
    args.push('--wiredTigerCacheSizeGB', '0.5', '--setParameter', 'diagnosticDataCollectionEnabled=false', '--quiet');
    args.push('--logpath', path.join(this.dir, 'mongod.log'), '--logappend');
    this.child = new Child(this.binary, args);
  }

  /** Starts, or starts again after `kill`, and waits until it takes writes. Not for one that joined another's set. */
  async start() {
    this.#spawn();
    const client = new MongoClient(this.uri, { serverSelectionTimeoutMS: 30_000 });
    try {
      const connected = client.connect();
      await Promise.race([connected, this.child.ended.then(() => Promise.reject(new Error(`mongod ended: ${this.child.output}`)))]);
      const admin = client.db('admin');
      if (!this.standalone) {
        const member = { _id: 0, host: `127.0.0.1:${this.port}` };
        await admin.command({ replSetInitiate: { _id: 'rs0', members: [member] } }).catch(error => {
          if (error.codeName !== 'AlreadyInitialized') throw error;
        });
      }
      await until(async () => (await admin.command({ hello: 1 })).isWritablePrimary, { what: 'a primary' });
    } finally {
      await client.close();
    }
    return this;
  }

  /** Starts as another member of the set that `first` is in, without a vote, and waits until it can be read. */
  async join(first) {
    this.#spawn();
    const client = new MongoClient(first.uri);
    try {
      await client.connect();
      const admin = client.db('admin');
      const { config } = await admin.command({ replSetGetConfig: 1 });
      const member = { _id: config.members.length, host: `127.0.0.1:${this.port}`, votes: 0, priority: 0 };
      const next = { ...config, version: config.version + 1, members: [...config.members, member] };
      await admin.command({ replSetReconfig: next });
      await until(
        async () => {
          if (!this.child.alive) throw new Error(`mongod ended: ${this.child.output}`);
          return (await admin.command({ replSetGetStatus: 1 })).members.at(-1).stateStr === 'SECONDARY';
        },
        { limit: 30_000, what: 'a secondary' },
      );
    } finally {
      await client.close();
    }
    return this;
  }

  async kill() {
    await this.child.kill();
  }

  /** Ends it and removes its data. */
  async stop() {
    await this.child.stop();
    dropDir(this.dir);
  }
}

/**
 * Starts a mongod of the binary that the environment names. `standalone`: no replica set, so no change streams either; `joins`: the set
 * of which it becomes another member.
 */
export async function startMongod(binary = process.env.REPARSE_TEST_MONGOD ?? 'mongod', { joins, ...options } = {}) {
  const mongod = new Mongod(binary, await freePort(), options);
  try {
    return await (joins ? mongod.join(joins) : mongod.start());
  } catch (error) {
    await mongod.kill();
    dropDir(mongod.dir);
    throw error;
  }
}
