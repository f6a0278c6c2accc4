// The services that recorded scenarios call: web hooks, a token introspection endpoint (RFC 7662), and a sender of pushes.
import http from 'node:http';
import { PushService } from './push-service.mjs';
import { Recorder } from './recorder.mjs';

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
  const recorder = new Recorder();
  const pushes = new PushService();
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString('utf8');
    const { method, url, headers } = request;
    const recorded = (await pushes.answer({ url, body: parse(text) })) ?? (await recorder.answer({ method, url, headers, body: parse(text) }));
    const known = url === '/introspect' ? introspect(text) : HOOKS[url]?.({ body: parse(text), headers });
    const unknown = { status: 404, json: { error: 'no such service' } };
    const { status = 200, headers: own = {}, ...answer } = recorded ?? (known ? { json: known } : unknown);
    response.writeHead(status, { 'Content-Type': 'application/json', ...own });
    response.end(answer.text ?? JSON.stringify(answer.json));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    forget: () => pushes.forget(),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
