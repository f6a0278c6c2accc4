'use strict';
// Connections to the server over its local socket. They speak HTTP/1.1 as the server does, one request at a time on each. What Node's
// own client does besides (an agent, timers, a stream for each message) would cost more than all the rest of handing a request on.
const net = require('node:net');

/** Bytes that are read at once. */
const READ = 64 << 10;
/** Longest head of an answer; the server's own are shorter by far. */
const MAX_HEAD = 1 << 20;
/** Most connections that are kept while no request needs them. */
const MAX_IDLE = 256;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** What a connection reads next. */
const HEAD = 0;
const LENGTH = 1;
const CHUNK_SIZE = 2;
const CHUNK = 3;
const CHUNK_END = 4;
const TRAILER = 5;
const REST = 6;

/**
 * Who waits for an answer. The connection calls `whole` for an answer that has arrived at once; otherwise `head`, `piece` for each part
 * of the body, and `end`; or at any time `failed`. The bytes of `whole` and `piece` are its own only until it returns. If `piece` returns
 * false, the next one waits for `resume`. `bodiless`: the answer has no body, whatever its head says. `asked`: all of the request is
 * written.
 *
 * @typedef {{ bodiless: boolean, asked: boolean, whole: Function, head: Function, piece: Function, end: Function, failed: Function }} Taker
 */

class Line {
  /** @param {Lines} lines where it goes when it is free */
  constructor(lines) {
    this.lines = lines;
    /** @type {Taker | null} */
    this.taker = null;
    this.error = null;
    this.#expectHead();
    this.socket = net.connect({ path: lines.path, onread: { buffer: Buffer.allocUnsafeSlow(READ), callback: (length, bytes) => this.#read(bytes.subarray(0, length)) } });
    this.socket.on('error', error => (this.error = error));
    this.socket.on('close', () => this.#closed());
  }

  #expectHead() {
    this.state = HEAD;
    /** What has arrived of a head, or of a line between chunks. */
    this.held = null;
    /** Bytes of the body, or of a chunk, that are still to come. */
    this.left = 0;
    this.closes = false;
    /** Whether the next bytes are to wait. */
    this.waits = false;
  }

  /** Writes a part of a request. False if so much waits that the next part should wait for `drained`. */
  write(part, encoding) {
    return this.socket.write(part, encoding);
  }

  drained(then) {
    this.socket.once('drain', then);
  }

  resume() {
    this.waits = false;
    this.socket.resume();
  }

  /** Gives the connection up: who waits for an answer hears no more. */
  destroy() {
    this.taker = null;
    this.socket.destroy();
  }

  #closed() {
    this.lines.forget(this);
    const { taker } = this;
    this.taker = null;
    if (!taker) return;
    if (this.state === REST && !this.error) taker.end();
    else taker.failed(this.error ?? Object.assign(new Error('the server closed the connection'), { code: 'ECONNRESET' }));
  }

  /** The answer is complete. */
  #done() {
    const { taker, closes } = this;
    this.taker = null;
    this.#expectHead();
    if (closes || !taker.asked) this.socket.destroy();
    else this.lines.release(this);
    return taker;
  }

  /** Takes what has arrived; false if the next bytes are to wait. */
  #read(bytes) {
    try {
      while (bytes.length > 0) {
        // Nobody has asked, or nobody listens any more.
        if (!this.taker) {
          this.socket.destroy();
          break;
        }
        bytes = this.state === HEAD ? this.#head(bytes) : this.#body(bytes);
      }
    } catch (error) {
      this.error ??= error;
      this.socket.destroy();
    }
    return !this.waits;
  }

  #head(bytes) {
    if (this.held) bytes = Buffer.concat([this.held, bytes]);
    const end = bytes.indexOf(END_OF_HEAD);
    if (end < 0) {
      if (bytes.length > MAX_HEAD) throw new Error('the head of an answer is too long');
      this.held = Buffer.from(bytes);
      return EMPTY;
    }
    this.held = null;
    const answer = read(bytes.latin1Slice(0, end));
    const rest = bytes.subarray(end + END_OF_HEAD.length);
    // Only the last answer counts.
    if (answer.status < 200) return rest;
    this.closes = answer.closes;
    if (this.taker.bodiless || answer.status === 204 || answer.status === 304) {
      this.#done().whole(answer, EMPTY);
      return rest;
    }
    if (answer.chunked) this.state = CHUNK_SIZE;
    else if (answer.length === undefined) this.state = REST;
    else if (rest.length >= answer.length) {
      this.#done().whole(answer, rest.subarray(0, answer.length));
      return rest.subarray(answer.length);
    } else {
      this.state = LENGTH;
      this.left = answer.length;
    }
    this.taker.head(answer);
    return rest;
  }

  #body(bytes) {
    switch (this.state) {
      case LENGTH:
      case CHUNK: {
        const piece = bytes.length > this.left ? bytes.subarray(0, this.left) : bytes;
        this.left -= piece.length;
        this.waits = !this.taker.piece(piece);
        if (this.left === 0) {
          if (this.state === CHUNK) this.state = CHUNK_END;
          else this.#done().end();
        }
        return bytes.subarray(piece.length);
      }
      case REST:
        this.waits = !this.taker.piece(bytes);
        return EMPTY;
      default:
        return this.#between(bytes);
    }
  }

  /** The lines around chunks. */
  #between(bytes) {
    if (this.held) bytes = Buffer.concat([this.held, bytes]);
    this.held = null;
    const end = bytes.indexOf('\n');
    if (end < 0) {
      if (bytes.length > MAX_HEAD) throw new Error('a line of an answer is too long');
      this.held = Buffer.from(bytes);
      return EMPTY;
    }
    const line = bytes.latin1Slice(0, end).trim();
    if (this.state === CHUNK_SIZE) {
      if (!/^[0-9a-f]{1,8}(;|$)/i.test(line)) throw new Error('the size of a chunk is none');
      this.left = Number.parseInt(line, 16);
      this.state = this.left === 0 ? TRAILER : CHUNK;
    } else if (this.state === CHUNK_END) this.state = CHUNK_SIZE;
    else if (line === '') this.#done().end();
    return bytes.subarray(end + 1);
  }
}

const EMPTY = Buffer.alloc(0);

/**
 * The head of an answer: its status, its headers as a flat list of names and values without those that belong to the connection, and
 * how the body ends.
 */
function read(text) {
  let at = text.indexOf('\r\n');
  if (at < 0) at = text.length;
  const answer = { status: Number(text.slice(9, 12)), message: text.slice(13, at), headers: [], length: undefined, chunked: false, closes: false };
  if (!(answer.status >= 100)) throw new Error('an answer has no status');
  while (at < text.length) {
    const start = at + 2;
    at = text.indexOf('\r\n', start);
    if (at < 0) at = text.length;
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon > at) throw new Error('a header of an answer has no name');
    const name = text.slice(start, colon);
    const value = text.slice(text[colon + 1] === ' ' ? colon + 2 : colon + 1, at);
    // The lengths of the names that are looked at.
    if (name.length === 10 || name.length === 14 || name.length === 17) {
      const lower = name.toLowerCase();
      if (lower === 'content-length') answer.length = Number(value);
      else if (lower === 'transfer-encoding') {
        answer.chunked = true;
        continue;
      } else if (lower === 'connection') {
        answer.closes = value.toLowerCase() === 'close';
        continue;
      } else if (lower === 'keep-alive') continue;
    }
    answer.headers.push(name, value);
  }
  return answer;
}

/** The connections to one server. There are as many as requests in flight. */
class Lines {
  /** @param {string} path of the socket for requests */
  constructor(path) {
    this.path = path;
    this.all = new Set();
    this.idle = [];
  }

  /**
   * A connection on which no request is.
   * @param {Taker} taker gets the answer of the one that is written to it now
   */
  take(taker) {
    let line = this.idle.pop();
    if (!line) {
      line = new Line(this);
      this.all.add(line);
    }
    line.taker = taker;
    return line;
  }

  release(line) {
    if (this.idle.length < MAX_IDLE) this.idle.push(line);
    else line.socket.destroy();
  }

  forget(line) {
    this.all.delete(line);
    const at = this.idle.indexOf(line);
    if (at >= 0) this.idle.splice(at, 1);
  }

  destroy() {
    for (const line of this.all) line.socket.destroy();
  }
}

module.exports = { Lines };
