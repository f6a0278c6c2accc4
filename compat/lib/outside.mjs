// Services outside the server: what the server under test calls.
import http from 'node:http';

/**
 * An HTTP server on the loopback interface. `handler` gets `{method, path, query, headers, text, form, json}` and gives
 * `{status, json, text, headers}`, or undefined for a 404. `calls` keeps every request.
 */
export async function serve(handler) {
  const calls = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', chunk => chunks.push(chunk));
    request.on('end', async () => {
      const url = new URL(request.url, 'http://localhost');
      const text = Buffer.concat(chunks).toString('utf8');
      const call = { method: request.method, path: url.pathname, query: Object.fromEntries(url.searchParams), headers: request.headers, text };
      call.form = Object.fromEntries(new URLSearchParams(text));
      try {
        call.json = JSON.parse(text);
      } catch {
        call.json = undefined;
      }
      calls.push(call);
      const answer = (await handler(call)) ?? { status: 404, json: { error: 'not found' } };
      const body = answer.text ?? JSON.stringify(answer.json ?? {});
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
      response.end(body);
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    calls,
    stop: () =>
      new Promise(resolve => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** RFC 7662: tokens of one application, `token → user`. Anything else is inactive. */
export function introspection(tokens, clientId = 'app') {
  return serve(({ method, form }) => {
    if (method !== 'POST') return undefined;
    const sub = tokens(form.token);
    return { json: sub === undefined ? { active: false } : { active: true, sub, client_id: clientId } };
  });
}
