'use strict';
// The server's process: started for a program, and ended with it. `src/commands/embedded.rs` is its other end.
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const binary = require('./binary');
const { load } = require('./bootstrap');

const PROTOCOL = 1;
/** There sockets are named pipes, which are not in a folder and are gone with who made them. */
const WINDOWS = process.platform === 'win32';
/** Longest path of a folder for temporary files in which sockets can be. */
const MAX_TEMPORARY = 79;
/** Milliseconds in which the process must have called. */
const CALL_TIME = 30_000;
/** Milliseconds between two looks for the socket of a server that is starting. */
const LOOK = 5;
/** Milliseconds until a program that was thrown out joins again. */
const REJOIN = 100;

class Server {
  /**
   * @param {object} start
   * @param {object} start.options the options as JSON
   * @param {boolean} start.listens whether the server listens on host and port, too
   * @param {boolean} start.givesMasterKey whether the server asks `given.masterKey` for the master key
   * @param {object} start.given values that are no JSON, by the names under which the options have them
   * @param {object} start.Parse the SDK
   * @param {object} start.registry what the program has registered
   * @param {(Parse: object) => unknown} start.run the program's cloud code
   */
  static async start(start) {
    const self = new Server(start);
    try {
      await self.#start();
      return self;
    } catch (error) {
      await self.kill();
      // What the program's own code threw says more than what the server made of it.
      throw self.thrown ?? error;
    }
  }

  constructor(start) {
    this.wish = start;
    this.token = crypto.randomBytes(32).toString('hex');
    /** Of the sockets; that only this user may enter. */
    this.folder = WINDOWS ? null : fs.mkdtempSync(path.join(temporary(), 'reparse-'));
    const pipes = WINDOWS && `\\\\.\\pipe\\reparse-${crypto.randomBytes(16).toString('hex')}`;
    const socket = name => (WINDOWS ? `${pipes}-${name}` : path.join(this.folder, name));
    this.control = socket('program');
    /** Path of the socket for requests. */
    this.requests = socket('requests');
    this.cloud = socket('cloud');
    this.process = null;
    this.connection = null;
    this.channel = null;
    this.loaded = false;
    this.stopping = false;
  }

  async #start() {
    const file = binary.find();
    await binary.check(file);
    const listener = net.createServer();
    // `exclusive`: of a cluster, this process alone.
    await new Promise((resolve, reject) => listener.once('error', reject).listen({ path: this.control, exclusive: true }, resolve));
    const called = new Promise(resolve => listener.once('connection', resolve));
    try {
      this.process = spawn(file, ['embedded', this.control], { stdio: ['ignore', 'inherit', 'inherit'], env: environment(this.wish.listens) });
      /** Resolves once the process has ended, to how it did. */
      this.ended = new Promise(resolve => {
        this.process.once('error', error => resolve(error.message));
        this.process.once('exit', (code, signal) => resolve(signal ?? `status ${code}`));
      });
      const early = this.ended.then(how => {
        throw new Error(`reparse ended while it was started: ${how}`);
      });
      early.catch(() => {});
      this.connection = await Promise.race([called, early, late(CALL_TIME, 'reparse did not call the program')]);
      const answer = this.#ask();
      const joined = this.#join(answer);
      const { ready, error } = await Promise.race([answer, early, joined]);
      if (error) throw new Error(error);
      /** Where it listens, if it does. */
      this.listening = ready.listening;
    } finally {
      listener.close();
    }
    this.ended.then(how => this.#gone(how));
  }

  /** Sends what is wanted; resolves to the answer. */
  #ask() {
    const { options, listens, givesMasterKey } = this.wish;
    const wish = { protocol: PROTOCOL, requests: this.requests, cloud: this.cloud, token: this.token, listens, givesMasterKey, options };
    this.connection.on('error', () => {});
    this.connection.write(`${JSON.stringify(wish)}\n`);
    return new Promise(resolve => {
      let text = '';
      this.connection.setEncoding('utf8').on('data', chunk => {
        text += chunk;
        if (text.includes('\n')) resolve(JSON.parse(text.slice(0, text.indexOf('\n'))));
      });
    });
  }

  /** Joins as the cloud process, as soon as the server is there. Fails only; who waits for the server waits for its answer. */
  async #join(answer) {
    let over = false;
    answer.finally(() => (over = true));
    while (!over && !this.stopping) {
      try {
        await this.#connect();
        break;
      } catch (error) {
        // The socket is not there yet, or nobody listens on it yet.
        if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') throw error;
        await pause(LOOK);
      }
    }
    return answer;
  }

  async #connect() {
    const { given, Parse, registry, run } = this.wish;
    const once = async sdk => {
      if (this.loaded) return;
      try {
        await run(sdk);
        this.loaded = true;
      } catch (error) {
        this.thrown = error;
        throw error;
      }
    };
    this.channel = await load.join({ socket: this.cloud, token: this.token, takeConsole: false, given, Parse, registry, run: once });
    // A program that did not react for a while is thrown out.
    this.channel.closed.then(() => this.#rejoin());
  }

  async #rejoin() {
    while (!this.stopping && this.process.exitCode === null && this.process.signalCode === null) {
      await pause(REJOIN);
      try {
        return await this.#connect();
      } catch {
        // The server is not there yet, or not any more.
      }
    }
  }

  #gone(how) {
    this.#clean();
    if (this.stopping) return;
    // The program cannot do its work without the server: like an error in a server of its own.
    process.nextTick(() => {
      throw new Error(`reparse has ended: ${how}`);
    });
  }

  /** Ends the server: requests in flight are finished. */
  async stop() {
    if (!this.stopping) {
      this.stopping = true;
      this.connection.write('{"stop":true}\n');
    }
    await this.ended;
    this.#clean();
  }

  async kill() {
    this.stopping = true;
    if (this.process?.pid !== undefined) {
      this.process.kill('SIGKILL');
      await this.ended;
    }
    this.#clean();
  }

  #clean() {
    this.connection?.destroy();
    this.channel?.socket.destroy();
    if (!this.folder) return;
    for (const socket of [this.control, this.requests, this.cloud]) removed(() => fs.unlinkSync(socket));
    removed(() => fs.rmdirSync(this.folder));
  }
}

/**
 * Removes something, if it is there. Without `fs.rmSync`, which looks what it is: after a look at a socket, Node's next `require` takes
 * links for files.
 */
function removed(remove) {
  try {
    remove();
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

/** Where the folder of the sockets is. Their paths must not be longer than 103 bytes. */
function temporary() {
  const folder = os.tmpdir();
  return Buffer.byteLength(folder) <= MAX_TEMPORARY ? folder : '/tmp';
}

/**
 * The environment of the server's process. One that answers this program alone gets a thread less than there are cores: the program
 * takes one itself, and threads that find nothing to do cost processor time each time that they are woken.
 */
function environment(listens) {
  if (listens) return process.env;
  return { TOKIO_WORKER_THREADS: String(Math.max(1, os.availableParallelism() - 1)), ...process.env };
}

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

function late(milliseconds, message) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), milliseconds).unref());
}

module.exports = { Server };
