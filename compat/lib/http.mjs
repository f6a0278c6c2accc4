// One HTTP request. Not `fetch`: headers, bodies and broken input must reach the server exactly as written, and each
// request has a connection of its own because parse-server closes connections after some refusals.
import http from 'node:http';

/**
 * Sends a request and returns `{status, headers, text, body}`; `body` is the parsed JSON, or undefined.
 * `json` is sent as JSON, `data` (text or Buffer) as it is.
 */
export function send(url, { method = 'GET', headers = {}, json, data, query, timeout = 30_000, agent = false } = {}) {
  const target = new URL(url);
  for (const [name, value] of Object.entries(query ?? {})) {
    target.searchParams.append(name, typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));
  }
  const payload = json === undefined ? data : JSON.stringify(json);
  const all = { ...headers };
  const has = name => Object.keys(all).some(key => key.toLowerCase() === name);
  if (json !== undefined && !has('content-type')) all['Content-Type'] = 'application/json';
  if (payload !== undefined && !has('content-length') && !has('transfer-encoding')) all['Content-Length'] = Buffer.byteLength(payload);
  return new Promise((resolve, reject) => {
    const request = http.request(target, { method, headers: all, agent, timeout }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        let body;
        try {
          body = JSON.parse(text);
        } catch {
          body = undefined;
        }
        resolve({ status: response.statusCode, headers: response.headers, text, body });
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${method} ${target.pathname}: no answer within ${timeout} ms`)));
    request.on('error', reject);
    request.end(payload);
  });
}
