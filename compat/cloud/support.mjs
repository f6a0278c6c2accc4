// The server's side of the channel, written after docs/decisions/cloud-channel.md, and one process of cloud code at its
// other end. The tests say what the server answers.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const here = path.dirname(fileURLToPath(import.meta.url));
const bootstrap = path.join(here, '../../src/adapters/cloud/node/bootstrap');
const { Decoder, EMPTY, KIND, encode } = require(path.join(bootstrap, 'frames.js'));
export const program = name => path.join(here, 'programs', name);

export class CloudProcess {
  /** Starts a process that loads `main`; `answers` has a function per kind of call. */
  static async start(main, { answers = {}, options = {}, modules = [], env = {} } = {}) {
    const self = new CloudProcess();
    self.folder = await mkdtemp(path.join(tmpdir(), 'reparse-cloud-test-'));
    self.answers = answers;
    self.notes = [];
    self.calls = new Map();
    self.last = 0;
    const socket = path.join(self.folder, 'socket');
    const token = randomBytes(16).toString('hex');
    self.listener = net.createServer(connection => self.#take(connection));
    self.listener.listen(socket);
    await once(self.listener, 'listening');
    self.token = token;
    self.options = { appId: 'app', masterKey: 'master', serverURL: 'http://localhost:1/parse', ...options };
    self.joined = new Promise(resolve => (self.join = resolve));
    self.process = spawn(process.execPath, [path.join(bootstrap, 'start.js')], {
      env: { ...process.env, REPARSE_CLOUD_SOCKET: socket, REPARSE_CLOUD_TOKEN: token, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    self.output = '';
    for (const stream of [self.process.stdout, self.process.stderr]) stream.on('data', chunk => (self.output += chunk));
    const ended = once(self.process, 'exit').then(([code]) => {
      throw new Error(`the process ended with ${code}: ${self.output}`);
    });
    ended.catch(() => {});
    try {
      await Promise.race([self.joined, ended]);
      const outside = { request: '', depth: 0 };
      self.registrations = await Promise.race([self.call('load', '', { main, modules }, EMPTY, outside), ended]);
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  #take(connection) {
    this.connection = connection;
    const decoder = new Decoder(frame => this.#receive(frame));
    connection.on('data', chunk => decoder.push(chunk));
    connection.on('error', () => {});
  }

  async #receive({ kind, id, json, attachment }) {
    const value = json === '' ? null : JSON.parse(json);
    if (kind === KIND.NOTE) this.notes.push(value);
    else if (kind === KIND.ANSWER || kind === KIND.FAILURE) {
      const call = this.calls.get(id);
      this.calls.delete(id);
      if (kind === KIND.ANSWER) call.resolve({ value, attachment });
      else call.reject(Object.assign(new Error(value.message), value));
    } else if (kind === KIND.CALL) {
      try {
        const [answer, bytes] = await this.#answer(value, attachment);
        this.connection.write(encode(KIND.ANSWER, id, JSON.stringify(answer ?? null), bytes));
      } catch (error) {
        const failure = { code: error.code ?? 141, message: error.message };
        this.connection.write(encode(KIND.FAILURE, id, JSON.stringify(failure)));
      }
    }
  }

  async #answer(call, attachment) {
    if (call.kind === 'hello') {
      if (call.payload.token !== this.token) throw new Error('the token is wrong');
      this.join();
      return [{ protocol: 1, options: this.options }];
    }
    if (call.kind === 'rest') {
      const body = attachment.length > 0 ? attachment : EMPTY;
      const { status = 200, headers, body: answer } = await this.answers.rest(call.payload, body, call);
      return [{ status, headers }, Buffer.from(JSON.stringify(answer ?? {}))];
    }
    return [await this.answers[call.kind](call.payload)];
  }

  /** Calls the process; `origin` is `{request, depth}`. */
  async callRaw(kind, name, payload, attachment = EMPTY, origin = { request: 'r1', depth: 0 }) {
    const id = ++this.last;
    const answer = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
    this.connection.write(encode(KIND.CALL, id, JSON.stringify({ kind, name, ...origin, payload }), attachment));
    return answer;
  }

  async call(kind, name, payload, attachment, origin) {
    return (await this.callRaw(kind, name, payload, attachment, origin)).value;
  }

  /** Calls a function; the result, or `{code, message}`. */
  async run(name, params = {}, rest = {}) {
    try {
      return await this.call('function', name, { params, context: {}, ...rest });
    } catch ({ code, message }) {
      return { code, message };
    }
  }

  async trigger(type, payload, attachment) {
    try {
      return await this.call('trigger', type, { context: {}, ...payload }, attachment);
    } catch ({ code, message }) {
      return { code, message };
    }
  }

  logged(text) {
    return this.notes.filter(note => note.kind === 'log' && note.payload.message.includes(text)).map(note => note.payload);
  }

  async stop() {
    this.connection?.destroy();
    this.listener.close();
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
