// The services that recorded scenarios call: web hooks, and a token introspection endpoint (RFC 7662).
import http from 'node:http';

const HOOKS = {
  '/hook/echo': ({ body }) => ({ success: { params: body.params, master: body.master, user: body.user?.objectId ?? null } }),
  '/hook/key': ({ headers }) => ({ success: { key: headers['x-parse-webhook-key'] ?? null } }),
  '/hook/fail': () => ({ error: 'the hook said no' }),
  '/hook/fail-code': () => ({ error: { code: 1234, message: 'coded refusal' } }),
  '/hook/save-through': () => ({ success: {} }),
  '/hook/save-stamp': ({ body }) => ({ success: { ...body.object, stamped: true } }),
  '/hook/save-refuse': () => ({ error: 'not storable' }),
};

/** Tokens `good-ID` and `other-ID` are valid for the user ID, the latter for another application. */
function introspect(form) {
  const token = /^(good|other)-(.+)$/.exec(new URLSearchParams(form).get('token') ?? '');
  if (!token) return { active: false };
  return { active: true, sub: token[2], client_id: token[1] === 'good' ? 'demo-client' : 'another-client' };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Starts the service; returns `{url, close}`. */
export async function startOutsideWorld() {
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const hook = HOOKS[request.url];
    const answer = request.url === '/introspect' ? introspect(text) : hook?.({ body: parse(text), headers: request.headers });
    response.writeHead(answer ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'no such service' }));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
