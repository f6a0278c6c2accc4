// The push services, on this machine: one server with HTTP/2 and HTTP/1.1 behind TLS that notes what arrives.
import crypto from 'node:crypto';
import http2 from 'node:http2';
import { gunzipSync } from 'node:zlib';

/** The service that a path belongs to. */
const SERVICES = [
  [/^\/3\/device\//, 'apns'],
  [/^\/token$/, 'google'],
  [/^\/v1\/projects\//, 'fcm'],
  [/^\/--\/api\/v2\/push\/send$/, 'expo'],
  [/^\/web\//, 'web'],
];

/** What each service answers if all is well. */
const WELL = {
  apns: () => ({ status: 200 }),
  google: () => ({ status: 200, json: { access_token: 'access', expires_in: 3600, token_type: 'Bearer' } }),
  fcm: () => ({ status: 200, json: { name: 'projects/project/messages/1' } }),
  expo: request => ({ status: 200, json: { data: JSON.parse(request.body).map(() => ({ status: 'ok', id: crypto.randomUUID() })) } }),
  web: () => ({ status: 201 }),
};

/**
 * Starts it with the key and certificate of `makeCertificates`. `answers` may be filled with functions by service that say how a
 * request is answered (`{status, headers, json, text, silent}`); undefined: well.
 */
export async function startEndpoints({ tls }) {
  const requests = [];
  const answers = {};
  const server = http2.createSecureServer({ ...tls, allowHTTP1: true, requestCert: true, rejectUnauthorized: false });
  const sessions = new Set();
  server.on('session', session => sessions.add(session).size && session.on('close', () => sessions.delete(session)));
  server.on('request', (request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const headers = Object.fromEntries(Object.entries(request.headers));
      const service = SERVICES.find(([path]) => path.test(request.url))?.[1];
      const session = request.stream?.session;
      const client = (session?.socket ?? request.socket).getPeerCertificate?.()?.subject?.CN;
      const arrived = { service, path: request.url, version: request.httpVersion, headers, raw, client, session };
      arrived.body = (headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString('utf8');
      requests.push(arrived);
      const answer = answers[service]?.(arrived) ?? WELL[service]?.(arrived) ?? { status: 404 };
      if (answer.silent) return;
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(answer.text ?? (answer.json === undefined ? '' : JSON.stringify(answer.json)));
    });
    request.on('error', () => {});
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    requests,
    answers,
    /** Ends all connections: by a word (`close`), or at once (`destroy`). */
    hangUp: how => sessions.forEach(session => session[how]()),
    /** The requests since the last time. */
    take: () => requests.splice(0),
    stop: () =>
      new Promise(resolve => {
        server.close(resolve);
        for (const session of sessions) session.destroy();
      }),
  };
}
