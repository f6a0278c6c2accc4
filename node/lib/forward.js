'use strict';
// Hands requests on to the server's process, over its local socket, and its answers back: streams, with what the program knows of
// the client.
const http = require('node:http');

/** Headers that belong to a connection, not to a request, and one that only the program may write. */
const NOT_HANDED_ON = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'x-reparse-origin',
]);
const NOT_HANDED_BACK = new Set(['connection', 'keep-alive', 'transfer-encoding']);

/** Who sent a request, how, and at which paths the program serves it: what the server cannot see for itself. */
function originOf(req, paths) {
  // Express knows of proxies.
  const ip = req.ip ?? req.socket.remoteAddress ?? '0.0.0.0';
  const protocol = req.protocol ?? (req.socket.encrypted ? 'https' : 'http');
  return `${ip} ${protocol === 'https' || protocol === 'wss' ? 'https' : 'http'} ${paths}`;
}

/** The headers of a request as the server gets them: a flat list of names and values. */
function headersOf(req, paths, { id, without, more = [] } = {}) {
  const raw = req.rawHeaders;
  const headers = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index].toLowerCase();
    if (!NOT_HANDED_ON.has(name) && !without?.has(name) && !(id && name === 'x-request-id')) headers.push(raw[index], raw[index + 1]);
  }
  if (id) headers.push('X-Request-Id', id);
  headers.push('X-Reparse-Origin', originOf(req, paths), ...more);
  return headers;
}

const METHODS = new Set(http.METHODS);
/** What ends a line early, or is no byte. Programs may change what Node has checked. */
const NO_HEADER = /[^\t\x20-\x7e\x80-\xff]/;
const NO_PATH = /[^\x21-\x7e\x80-\xff]/;

/** The head of a request as text. Fails if it would be something else. */
function headOfRequest(method, path, headers) {
  if (!METHODS.has(method) || NO_PATH.test(path)) throw invalid('the method or the path of the request');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  for (let index = 0; index < headers.length; index += 2) {
    if (NO_HEADER.test(headers[index]) || NO_HEADER.test(headers[index + 1])) throw invalid(`its header ${headers[index]}`);
    head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  }
  return `${head}\r\n`;
}

const invalid = what => new TypeError(`a request cannot be handed on, since ${what} has characters that it must not have`);

/** The body that a parser of the program has read already, or undefined. */
function parsedBody(req) {
  if (req.body === undefined || !(req._body || req.readableEnded)) return undefined;
  if (Buffer.isBuffer(req.body)) return { bytes: req.body };
  if (typeof req.body === 'string') return { bytes: Buffer.from(req.body) };
  return { bytes: Buffer.from(JSON.stringify(req.body)), type: 'application/json' };
}

const LENGTH = new Set(['content-length']);
const LENGTH_TYPE_AND_CODING = new Set(['content-length', 'content-type', 'content-encoding']);

/** Bytes up to which a head and a body are copied into one piece, which Node then writes at once. */
const ONE_PIECE = 15 << 10;

/** A request that was handed on, and its answer. */
class Handing {
  /** @param {string[]} [first] headers of the answer if nobody else has to do with it */
  constructor(req, res, first) {
    this.req = req;
    this.res = res;
    this.first = first;
    this.bodiless = req.method === 'HEAD';
    /** Whether all of the request has been written. */
    this.asked = false;
    this.line = null;
  }

  /** Sends a request with all of its body, if it has one. */
  send(lines, head, body) {
    this.asked = true;
    const line = this.#take(lines);
    if (body === undefined) line.write(head, 'latin1');
    else if (body.length > ONE_PIECE) {
      line.write(head, 'latin1');
      line.write(body);
    } else line.write(joined(head, body));
  }

  /** Sends a request when all of its body is there: a small one, which mostly has come with the head. */
  gather(lines, head, length) {
    const { req } = this;
    let body;
    req.on('data', piece => {
      body = body === undefined ? piece : Buffer.concat([body, piece]);
      if (body.length === length) this.send(lines, head, body);
    });
  }

  /** Sends a request with the body that is still to be read, not faster than the server takes it. */
  stream(lines, head, chunked) {
    const { req } = this;
    const line = this.#take(lines);
    line.write(head, 'latin1');
    req.on('data', piece => {
      // The answer came before the end of the request.
      if (!this.line) return;
      if (chunked) line.write(`${piece.length.toString(16)}\r\n`, 'latin1');
      let more = line.write(piece);
      if (chunked) more = line.write('\r\n', 'latin1');
      if (!more) {
        req.pause();
        line.drained(() => req.resume());
      }
    });
    req.on('end', () => {
      if (!this.line) return;
      if (chunked) line.write('0\r\n\r\n', 'latin1');
      this.asked = true;
    });
  }

  #take(lines) {
    this.line = lines.take(this);
    this.res.on('close', () => this.leave());
    return this.line;
  }

  /** The client has gone, or has all of the answer. */
  leave() {
    this.line?.destroy();
    this.line = null;
  }

  whole(answer, body) {
    this.#free();
    const { res } = this;
    if (res.headersSent || res.destroyed) return;
    this.#setHead(answer);
    // A text is written together with the head. Middleware that looks at bodies gets bytes.
    if (body.length === 0) res.end();
    else if (body.length <= ONE_PIECE && res.end === END && res.write === WRITE) endWith(res, body.latin1Slice());
    else res.end(Buffer.from(body));
  }

  #setHead(answer) {
    const { first, res } = this;
    if (first) res.writeHead(answer.status, answer.message, first.concat(answer.headers));
    else setHead(res, answer);
  }

  head(answer) {
    const { res } = this;
    if (res.headersSent || res.destroyed) return this.leave();
    this.#setHead(answer);
    // The next piece may be the last one.
    this.held = undefined;
  }

  piece(bytes) {
    const { held, res } = this;
    this.held = Buffer.from(bytes);
    if (held === undefined || res.write(held)) return true;
    res.once('drain', () => this.line?.resume());
    return false;
  }

  end() {
    this.#free();
    if (this.held === undefined) this.res.end();
    else this.res.end(this.held);
  }

  failed(error) {
    this.#free();
    fail(this.res, error);
  }

  /** The connection is another request's from now on. What still comes of this one is read and dropped. */
  #free() {
    this.line = null;
    if (!this.asked) this.req.resume();
  }
}

const { end: END, write: WRITE } = http.OutgoingMessage.prototype;

/** Ends an answer with a text. `end` would write its empty end as a second piece, and both by a dearer call. */
function endWith(res, text) {
  res.write(text, 'latin1');
  res.socket?.uncork();
  res.end();
}

function joined(head, body) {
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.latin1Write(head, 0);
  body.copy(bytes, head.length);
  return bytes;
}

/**
 * Hands a request on.
 * @param {Lines} lines connections to the server
 * @param {string} path path on the server, with the query
 * @param {string} paths path below which the program serves it; for the playground also that of GraphQL, after a blank
 * @param {string} [id] what the server is to call the request
 * @param {string[]} [first] if nobody else has to do with the answer: a flat list of headers that it begins with
 */
function forward(lines, req, res, path, paths, id, first) {
  const parsed = parsedBody(req);
  const chunked = !parsed && req.headers['transfer-encoding'] !== undefined;
  let changes = id && { id };
  if (parsed) {
    const more = ['Content-Length', String(parsed.bytes.length)];
    if (parsed.type) more.push('Content-Type', parsed.type);
    changes = { id, without: parsed.type ? LENGTH_TYPE_AND_CODING : LENGTH, more };
  } else if (chunked) changes = { id, without: LENGTH, more: ['Transfer-Encoding', 'chunked'] };
  let head;
  try {
    head = headOfRequest(req.method, path, headersOf(req, paths, changes));
  } catch (error) {
    console.error(error.message);
    return answer(res, 400, { code: 102, error: 'The request is malformed.' });
  }
  const handing = new Handing(req, res, first);
  const length = Number(req.headers['content-length'] ?? 0);
  if (parsed) handing.send(lines, head, parsed.bytes);
  else if (!chunked && length === 0) handing.send(lines, head);
  else if (!req.readableEnded && !chunked && length <= ONE_PIECE) handing.gather(lines, head, length);
  else if (!req.readableEnded) handing.stream(lines, head, chunked);
  else fail(res, new Error('other middleware has read the body of a request, and left nothing in req.body'));
}

/** Headers that middleware has set before stay, unless the server has some of the same name. */
function setHead(res, { status, message, headers }) {
  res.statusCode = status;
  res.statusMessage = message;
  const seen = new Set();
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    const lower = name.toLowerCase();
    if (seen.has(lower)) res.appendHeader(name, headers[index + 1]);
    else if (lower === 'vary' && res.hasHeader('vary')) res.appendHeader(name, headers[index + 1]);
    else res.setHeader(name, headers[index + 1]);
    seen.add(lower);
  }
}

/** The server did not answer: it is being stopped, or has ended. */
function fail(res, error) {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  answer(res, 500, { code: 1, error: 'Internal server error.' });
  if (error.code !== 'ECONNRESET') console.error(`reparse does not answer: ${error.message}`);
}

function answer(res, status, body) {
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end(JSON.stringify(body));
}

/** Hands a connection on that changes its protocol: a WebSocket. */
function upgrade(socketPath, req, socket, head, path) {
  socket.on('error', () => {});
  const headers = headersOf(req, '/', { more: ['Connection', 'Upgrade', 'Upgrade', req.headers.upgrade ?? 'websocket'] });
  const out = http.request({ socketPath, agent: false, method: req.method, path, headers });
  out.on('upgrade', (answer, stream, first) => {
    stream.on('error', () => socket.destroy());
    socket.write(headOf(answer));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) stream.write(head);
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.pipe(stream).pipe(socket);
    socket.on('close', () => stream.destroy());
    stream.on('close', () => socket.destroy());
  });
  out.on('response', answer => {
    socket.write(headOf(answer, 'Connection: close\r\n'));
    answer.pipe(socket);
  });
  out.on('error', () => socket.destroy());
  socket.on('close', () => out.destroy());
  out.end();
}

function headOf(answer, more = '') {
  let head = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    const [name, value] = answer.rawHeaders.slice(index, index + 2);
    if (!(more && NOT_HANDED_BACK.has(name.toLowerCase()))) head += `${name}: ${value}\r\n`;
  }
  return `${head}${more}\r\n`;
}

module.exports = { forward, upgrade };
