// A client of live queries that keeps what it hears.
import { once } from 'node:events';
import WebSocket from 'ws';
import { sleep } from '../lib/net.mjs';

export class LiveClient {
  constructor(server) {
    this.socket = new WebSocket(server.url.replace('http', 'ws'));
    /** Events by request id, in order. */
    this.events = new Map();
    this.answers = [];
    this.socket.on('message', text => {
      const message = JSON.parse(text);
      if (['connected', 'subscribed', 'unsubscribed', 'error'].includes(message.op)) this.answers.push(message);
      else this.of(message.requestId).push(message);
    });
  }

  of(requestId) {
    if (!this.events.has(requestId)) this.events.set(requestId, []);
    return this.events.get(requestId);
  }

  async ask(message) {
    this.socket.send(JSON.stringify(message));
    for (let waited = 0; waited < 20_000; waited += 5) {
      if (this.answers.length > 0) return this.answers.shift();
      await sleep(5);
    }
    throw new Error(`no answer to ${JSON.stringify(message)}`);
  }

  static async connect(server, more = {}) {
    const client = new LiveClient(server);
    await once(client.socket, 'open');
    const answer = await client.ask({ op: 'connect', applicationId: 'app', ...more });
    if (answer.op !== 'connected') throw new Error(JSON.stringify(answer));
    return client;
  }

  async follow(requestId, className, where = {}, more = {}) {
    const answer = await this.ask({ op: 'subscribe', requestId, query: { className, where }, ...more });
    if (answer.op !== 'subscribed') throw new Error(JSON.stringify(answer));
  }

  /** Waits until so many events have come for a subscription; fails when they do not. */
  async have(requestId, count) {
    for (let waited = 0; waited < 30_000; waited += 10) {
      if (this.of(requestId).length >= count) return this.of(requestId);
      await sleep(10);
    }
    throw new Error(`${this.of(requestId).length} events instead of ${count}`);
  }

  close() {
    this.socket.terminate();
  }
}
