'use strict';
// The process's end of the connection: calls in both directions, by number.
const net = require('node:net');
const course = require('./course');
const { toFailure, ProtocolError } = require('./errors');
const { Decoder, EMPTY, KIND, encode } = require('./frames');

/** Bytes that may wait to be written before log lines are dropped. */
const MAX_WAITING = 32 << 20;

class Channel {
  /**
   * @param socket a connected socket
   * @param handlers by kind: `(call, attachment) => value`, or a promise; a `Reply` carries an attachment too
   */
  constructor(socket, handlers) {
    this.socket = socket;
    this.handlers = handlers;
    this.calls = new Map();
    this.pings = [];
    this.last = 0;
    this.corked = false;
    this.running = 0;
    /** Runs before a call or an answer is sent, so that notes about what the code has changed arrive first. */
    this.beforeSending = () => {};
    const decoder = new Decoder(frame => this.#receive(frame));
    socket.on('data', chunk => decoder.push(chunk));
    socket.on('error', () => {});
    this.closed = new Promise(resolve => socket.once('close', resolve)).then(() => {
      for (const { reject } of this.calls.values()) reject(new ProtocolError(100, 'The server has gone.'));
      this.calls.clear();
      for (const arrived of this.pings.splice(0)) arrived();
    });
  }

  static connect(path, handlers) {
    return new Promise((resolve, reject) => {
      const socket = net.connect(path);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new Channel(socket, handlers));
      });
    });
  }

  /** Calls the server. The answer is `{value, attachment}`. */
  call(kind, payload = null, attachment = EMPTY) {
    if (this.socket.destroyed) return Promise.reject(new ProtocolError(100, 'The server has gone.'));
    this.beforeSending();
    do this.last = (this.last + 1) >>> 0;
    while (this.last === 0 || this.calls.has(this.last));
    const id = this.last;
    const { request, depth, trace } = course.current();
    const json = JSON.stringify({ kind, request, depth, trace, payload });
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      this.#write(encode(KIND.CALL, id, json, attachment));
    });
  }

  /** Sends a message that has no answer. */
  note(kind, payload) {
    this.#write(encode(KIND.NOTE, 0, JSON.stringify({ kind, payload })));
  }

  /** Resolves once the server has read all that was sent so far. */
  arrived() {
    if (this.socket.destroyed) return Promise.resolve();
    this.#write(encode(KIND.PING, 0));
    return new Promise(resolve => this.pings.push(resolve));
  }

  /** Whether so much waits to be written that messages of little worth should be dropped. */
  get congested() {
    return this.socket.writableLength > MAX_WAITING;
  }

  #write(frame) {
    // What the code that runs now writes goes out together.
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      process.nextTick(uncork, this);
    }
    this.socket.write(frame);
  }

  #receive({ kind, id, json, attachment }) {
    switch (kind) {
      case KIND.CALL:
        this.#serve(id, JSON.parse(json), attachment);
        break;
      case KIND.ANSWER:
      case KIND.FAILURE: {
        const call = this.calls.get(id);
        if (!call) break;
        this.calls.delete(id);
        const value = json === '' ? null : JSON.parse(json);
        if (kind === KIND.ANSWER) call.resolve({ value, attachment });
        else call.reject(new ProtocolError(value.code, value.message));
        break;
      }
      case KIND.PING:
        this.#write(encode(KIND.PONG, id));
        break;
      case KIND.PONG:
        this.pings.shift()?.();
        break;
    }
  }

  #serve(id, call, attachment) {
    const handler = this.handlers[call.kind];
    course.run({ request: call.request, depth: call.depth, trace: call.trace }, async () => {
      this.running++;
      let frame;
      try {
        if (!handler) throw new ProtocolError(141, `this process has no call ${call.kind}`);
        const result = await handler(call, attachment);
        frame =
          result instanceof Reply
            ? encode(KIND.ANSWER, id, JSON.stringify(result.value ?? null), result.attachment)
            : encode(KIND.ANSWER, id, JSON.stringify(result ?? null));
      } catch (error) {
        frame = encode(KIND.FAILURE, id, JSON.stringify(toFailure(error)));
      }
      this.running--;
      this.beforeSending();
      this.#write(frame);
    });
  }
}

function uncork(channel) {
  channel.corked = false;
  channel.socket.uncork();
}

/** An answer with raw bytes. */
class Reply {
  constructor(value, attachment = EMPTY) {
    this.value = value;
    this.attachment = attachment;
  }
}

module.exports = { Channel, Reply };
