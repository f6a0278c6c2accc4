// The clients of live queries in a scenario, each with a web socket and a name.
import WebSocket from 'ws';
import { sleep, until } from '../lib/net.mjs';
import { differences } from './compare.mjs';

/** How long nothing may come where nothing is expected, in milliseconds. What comes later is found at the end of the scenario. */
const QUIET = 100;

class Client {
  messages = [];
  pings = 0;
  /** The code the socket was closed with. */
  closed;

  constructor(url, { protocols = [], headers, autoPong = true } = {}) {
    this.socket = new WebSocket(url, protocols, { headers, autoPong });
    this.socket.on('message', (data, binary) => this.messages.push(binary ? data : read(data.toString())));
    this.socket.on('ping', () => this.pings++);
    this.socket.on('close', code => (this.closed = code));
    this.opened = new Promise(resolve => {
      this.socket.on('open', () => resolve({ ok: true, protocol: this.socket.protocol }));
      this.socket.on('unexpected-response', (_request, response) => {
        resolve({ ok: false, status: response.statusCode });
        this.socket.terminate();
      });
      this.socket.on('error', error => resolve({ ok: false, error: error.message }));
    });
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

/** Waits until the condition holds, and says whether it does. */
const holds = check => until(check, { every: 5 }).then(() => true, () => false);

export class Sockets {
  #clients = new Map();

  constructor(addresses) {
    this.addresses = addresses;
  }

  #client(name) {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`client ${name} was not opened`);
    return client;
  }

  /** What a client does in a step: opens its socket, sends, closes. Returns what is wrong with that. */
  async act(step, scope) {
    if (step.open) return this.#open(step, scope);
    if (!step.client) return [];
    const { socket } = this.#client(step.client);
    if (step.send !== undefined) socket.send(JSON.stringify(scope.fill(step.send)));
    else if (step.text !== undefined) socket.send(scope.fill(step.text));
    else if (step.close) socket.close(step.close.code, step.close.reason);
    else if (step.terminate) socket.terminate();
    return [];
  }

  async #open({ open: name, options = {}, opened: expected = { ok: true } }, scope) {
    const { path = this.addresses.basePath, ...rest } = scope.fill(options);
    const client = new Client(this.addresses.liveURL + path, rest);
    this.#clients.set(name, client);
    const opened = await client.opened;
    const compared = Object.fromEntries(Object.keys(expected).map(key => [key, opened[key]]));
    return [...differences(expected, compared, scope, { at: name })];
  }

  /** What is wrong with what the clients hear after a step. */
  async problems(step, scope) {
    const found = [];
    for (const [name, expected] of Object.entries(step.receive ?? {})) found.push(...(await this.#received(name, expected, step, scope)));
    for (const [name, { code }] of Object.entries(step.closed ?? {})) {
      const client = this.#client(name);
      await holds(() => client.closed !== undefined);
      if (client.closed !== code) found.push(`${name}: expected to be closed with ${code}, got ${client.closed ?? 'no close'}`);
    }
    for (const [name, count] of Object.entries(step.pings ?? {})) {
      const client = this.#client(name);
      if (!(await holds(() => client.pings >= count))) found.push(`${name}: expected ${count} pings, got ${client.pings}`);
    }
    for (const name of step.stillOpen ?? []) {
      const { closed } = this.#client(name);
      if (closed !== undefined) found.push(`${name}: was closed with ${closed}`);
    }
    return found;
  }

  async #received(name, expected, step, scope) {
    const client = this.#client(name);
    if (expected.length === 0) await sleep(QUIET);
    else await holds(() => client.messages.length >= expected.length || client.closed !== undefined);
    const messages = client.messages.splice(0, expected.length || Infinity);
    const problems = [...differences(expected, messages, scope, { at: name, unordered: step.unordered ? [name] : [] })];
    for (const [variable, where] of Object.entries(step.capture ?? {})) {
      const [owner, ...path] = where.split('.');
      if (owner === name) scope.captured.set(variable, String(path.reduce((value, key) => value?.[key], messages)));
    }
    return problems;
  }

  /** Closes all sockets. Returns the messages that no step expected. */
  async end() {
    if (this.#clients.size > 0) await sleep(QUIET);
    const left = [];
    for (const [name, { messages, socket }] of this.#clients) {
      for (const message of messages) left.push(`${name}: not expected: ${JSON.stringify(message).slice(0, 300)}`);
      socket.terminate();
    }
    return left;
  }
}
