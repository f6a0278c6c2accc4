// Servers behind a proxy are replaced one by one while clients write: no request is lost.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { send } from '../lib/http.mjs';
import { sleep, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const WRITERS = 8;

/** A proxy that asks `/health/ready`, keeps connections alive and never sends a request twice. */
async function startProxy() {
  const servers = new Set();
  let turn = 0;
  const front = http.createServer((request, response) => {
    const ready = [...servers].filter(server => server.ready);
    const server = ready[turn++ % ready.length];
    if (!server) return response.writeHead(502).end('no server is ready');
    const { port, agent } = server;
    server.requests++;
    const passed = http.request({ port, host: '127.0.0.1', path: request.url, method: request.method, headers: request.headers, agent }, answer => {
      response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
      answer.pipe(response);
    });
    passed.on('error', error => response.writeHead(502).end(error.message));
    request.pipe(passed);
  });
  await new Promise(resolve => front.listen(0, '127.0.0.1', resolve));
  let running = true;
  const watch = async server => {
    while (running && servers.has(server)) {
      const answer = await send(`${server.url}/health/ready`, { timeout: 1000 }).catch(() => undefined);
      server.ready = answer?.status === 200;
      await sleep(25);
    }
  };
  return {
    port: front.address().port,
    add({ port, url }) {
      const server = { port, url, ready: false, requests: 0, agent: new http.Agent({ keepAlive: true }) };
      servers.add(server);
      watch(server);
      return server;
    },
    remove(server) {
      servers.delete(server);
      server.agent.destroy();
    },
    stop() {
      running = false;
      front.closeAllConnections();
      front.close();
    },
  };
}

test('a rolling restart under load loses no request', async t => {
  const database = freshDatabase('mongo');
  const options = { shutdownDelayMs: 3000 };
  const start = () => startServer(options, { database });
  const proxy = await startProxy();
  let fleet = await Promise.all([start(), start()]);
  fleet = fleet.map(server => ({ server, behind: proxy.add(server) }));
  await until(() => fleet.every(({ behind }) => behind.ready), { what: 'the servers to be ready' });

  let writing = true;
  const answers = new Map();
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    const agent = new http.Agent({ keepAlive: true });
    for (let count = 0; writing; count++) {
      const key = `${writer}-${count}`;
      const answer = await send(`http://127.0.0.1:${proxy.port}/parse/classes/Rolling`, { method: 'POST', headers: { 'X-Parse-Application-Id': 'app', 'X-Parse-Master-Key': 'master' }, json: { key }, agent });
      if (answer.status !== 201) await sleep(50);
      answers.set(key, `${answer.status} ${answer.status === 201 ? '' : answer.text}`.trim());
    }
    agent.destroy();
  });
  t.after(() => {
    writing = false;
    proxy.stop();
  });
  for (const place of fleet) {
    const old = place.server;
    old.child.signal('SIGTERM');
    const { code } = await old.child.ended;
    assert.equal(code, 0, old.child.output);
    proxy.remove(place.behind);
    place.server = await start();
    place.behind = proxy.add(place.server);
    await until(() => place.behind.requests > 20, { what: 'the new server to get requests' });
  }
  writing = false;
  await Promise.all(writers);
  const lost = [...answers].filter(([, status]) => status !== '201');
  assert.deepEqual(lost, [], `${lost.length} of ${answers.size} requests were lost`);
  const { server } = fleet[0];
  const count = await server.request('GET', '/classes/Rolling?count=1&limit=0', { master: true });
  assert.equal(count.body.count, answers.size);
  await Promise.all(fleet.map(place => place.server.stop()));
});
