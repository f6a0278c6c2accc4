'use strict';
// Hands requests on to the server's process, over its local socket, and its answers back: streams, with what the program knows of
// the client.
const http = require('node:http');

/** Connections to one server. There are as many as requests in flight. */
const agentFor = socketPath => new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256, socketPath });

/** Headers that belong to a connection, not to a request, and one that only the program may write. */
const NOT_HANDED_ON = new Set([
  'connection', 'expect', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'x-reparse-origin',
]);
const NOT_HANDED_BACK = new Set(['connection', 'keep-alive', 'transfer-encoding']);
const NO_BODY = new Set(['GET', 'HEAD', 'OPTIONS']);

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

/** The body that a parser of the program has read already, or undefined. */
function parsedBody(req) {
  if (req.body === undefined || !(req._body || req.readableEnded)) return undefined;
  if (Buffer.isBuffer(req.body)) return { bytes: req.body };
  if (typeof req.body === 'string') return { bytes: Buffer.from(req.body) };
  return { bytes: Buffer.from(JSON.stringify(req.body)), type: 'application/json' };
}

const LENGTH = new Set(['content-length']);
const LENGTH_TYPE_AND_CODING = new Set(['content-length', 'content-type', 'content-encoding']);

/**
 * Hands a request on.
 * @param {http.Agent} agent connections to the server
 * @param {string} path path on the server, with the query
 * @param {string} paths path below which the program serves it; for the playground also that of GraphQL, after a blank
 * @param {string} [id] what the server is to call the request
 */
function forward(agent, req, res, path, paths, id) {
  const parsed = parsedBody(req);
  let headers;
  if (parsed) {
    const without = parsed.type ? LENGTH_TYPE_AND_CODING : LENGTH;
    const more = ['Content-Length', String(parsed.bytes.length)];
    if (parsed.type) more.push('Content-Type', parsed.type);
    headers = headersOf(req, paths, { id, without, more });
  } else {
    const chunked = req.headers['transfer-encoding'] !== undefined;
    headers = headersOf(req, paths, chunked ? { id, without: LENGTH, more: ['Transfer-Encoding', 'chunked'] } : { id });
  }
  const out = http.request({ agent, method: req.method, path, headers });
  out.on('response', answer => handBack(answer, res));
  out.on('error', error => fail(res, error));
  res.on('close', () => {
    if (!res.writableFinished) out.destroy();
  });
  if (parsed) out.end(parsed.bytes);
  else if (hasBody(req)) pump(req, out);
  else out.end();
}

function hasBody(req) {
  const length = req.headers['content-length'];
  if (req.headers['transfer-encoding'] !== undefined) return true;
  return length === undefined ? !NO_BODY.has(req.method) && !req.readableEnded : length !== '0';
}

function handBack(answer, res) {
  if (res.headersSent || res.destroyed) {
    answer.destroy();
    return;
  }
  const raw = answer.rawHeaders;
  const headers = [];
  for (let index = 0; index < raw.length; index += 2) {
    if (!NOT_HANDED_BACK.has(raw[index].toLowerCase())) headers.push(raw[index], raw[index + 1]);
  }
  setHead(res, answer, headers);
  answer.on('error', () => res.destroy());
  answer.on('aborted', () => res.destroy());
  pump(answer, res);
}

/** Headers that middleware has set before stay, unless the server has some of the same name. */
function setHead(res, answer, headers) {
  res.statusCode = answer.statusCode;
  res.statusMessage = answer.statusMessage;
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

/** Writes what `from` gives to `to`, not faster than `to` takes it. What fits into one piece is sent with the end. */
function pump(from, to) {
  let held;
  from.on('data', chunk => {
    if (held !== undefined && !to.write(held)) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    held = chunk;
  });
  from.on('end', () => (held === undefined ? to.end() : to.end(held)));
}

/** The server did not answer: it is being stopped, or has ended. */
function fail(res, error) {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  res.statusCode = 500;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end(JSON.stringify({ code: 1, error: 'Internal server error.' }));
  if (error.code !== 'ECONNRESET') console.error(`reparse does not answer: ${error.message}`);
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

module.exports = { agentFor, forward, upgrade };
