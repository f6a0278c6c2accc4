// Shutdown: requests in flight are finished, new ones are not accepted, the exit status is 0.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { test } from 'node:test';
import { sleep } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

for (const store of ['mongo', 'embedded']) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal}, ${store}: sign ups in flight are answered and kept`, async () => {
      const database = freshDatabase(store);
      // a cost that keeps a sign up busy for a while
      const server = await startServer({}, { database, env: { REPARSE_BCRYPT_COST: '8' } });
      const pending = Array.from({ length: 20 }, (_, index) =>
        server.request('POST', '/users', { json: { username: `user ${index}`, password: 'x' } }).then(answer => ({ index, answer }), error => ({ index, error })),
      );
      await sleep(150);
      const started = Date.now();
      server.child.signal(signal);
      const { code, signal: killedBy } = await server.child.ended;
      assert.deepEqual([code, killedBy], [0, null], server.child.output);
      assert.ok(Date.now() - started < 20_000);
      const results = await Promise.all(pending);
      const again = await startServer({}, { database });
      for (const { index, answer } of results) {
        if (answer?.status !== 201) continue;
        const logIn = await again.request('POST', '/login', { json: { username: `user ${index}`, password: 'x' } });
        assert.equal(logIn.status, 200, `user ${index} was acknowledged and is gone`);
      }
      const answered = results.filter(({ answer }) => answer);
      assert.equal(answered.length, 20, `${20 - answered.length} requests in flight got no answer`);
      await again.stop();
    });
  }
}

test('idle and half-open connections do not hold it', async () => {
  const server = await startServer({}, { database: freshDatabase('embedded') });
  const agent = new http.Agent({ keepAlive: true });
  await server.request('GET', '/health', { agent });
  const silent = net.connect(server.port, '127.0.0.1').on('error', () => {});
  const half = net.connect(server.port, '127.0.0.1').on('error', () => {});
  half.write('POST /parse/users HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
  await sleep(200);
  const started = Date.now();
  const { code } = await server.child.stop(60_000);
  assert.equal(code, 0, server.child.output);
  assert.ok(Date.now() - started < 40_000, `${Date.now() - started} ms`);
  agent.destroy();
  silent.destroy();
  half.destroy();
});
