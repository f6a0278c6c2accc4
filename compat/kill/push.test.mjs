// `kill -9` while pushes are sent: no device gets a push twice, none is forgotten, and each is counted in the end.
// A fifth of REPARSE_TEST_KILLS is the number of kills: it takes seconds until work of a server that is gone is taken up.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { sleep, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const KILLS = Math.ceil(Number(process.env.REPARSE_TEST_KILLS ?? 20) / 5);
const DEVICES = 300;
const BATCH = 10;
const PUSHES = 3;

/** Sends to whatever it is handed, and notes how often each device was handed to it for each push. */
class Service {
  #seen = new Map();

  async start() {
    this.server = http.createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const { pushStatus, installations } = JSON.parse(Buffer.concat(chunks).toString());
      for (const { deviceToken } of installations) this.#note(pushStatus, deviceToken);
      await sleep(Math.random() * 60);
      response.end(JSON.stringify(installations.map(device => ({ device, transmitted: true }))));
    });
    await new Promise(resolve => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  #note(push, token) {
    const tokens = this.seen(push);
    tokens.set(token, (tokens.get(token) ?? 0) + 1);
    this.#seen.set(push, tokens);
  }

  /** How often each device was handed over for a push. */
  seen(push) {
    return this.#seen.get(push) ?? new Map();
  }
}

async function install(server) {
  const device = number => ({ deviceType: number % 3 === 0 ? 'android' : 'ios', deviceToken: `t${number}`, installationId: `i${number}` });
  const part = number => ({ method: 'POST', path: '/parse/classes/_Installation', body: device(number) });
  for (let first = 0; first < DEVICES; first += 50) {
    const requests = Array.from({ length: 50 }, (_, index) => part(first + index));
    const made = await server.request('POST', '/batch', { master: true, json: { requests } });
    assert.equal(made.status, 200, made.text);
  }
}

async function push(server) {
  const sent = await server.request('POST', '/push', { master: true, json: { where: {}, data: { alert: 'x' } }, timeout: 10_000 });
  assert.equal(sent.status, 200, sent.text);
  return sent.headers['x-parse-push-status-id'];
}

async function finished(server, id) {
  let row;
  await until(
    async () => {
      row = (await server.request('GET', `/classes/_PushStatus/${id}`, { master: true })).body;
      return row.status === 'succeeded';
    },
    { every: 100, limit: 60_000, what: `the end of push ${id}` },
  );
  return row;
}

function check(service, row) {
  const seen = service.seen(row.objectId);
  const twice = [...seen].filter(([, times]) => times > 1);
  assert.deepEqual(twice, [], 'devices that got a push twice');
  const failed = row.numFailed ?? 0;
  assert.equal(row.numSent + failed, DEVICES, `each device is counted: ${JSON.stringify(row)}`);
  assert.ok(row.numSent <= seen.size, 'no device is counted that got nothing');
  // What a server had taken when it was killed counts as failed: at most what may be in flight at a time.
  assert.ok(failed <= BATCH * 8, `no more than what was in flight is lost: ${failed}`);
  assert.equal(row.count, undefined);
}

test(`${KILLS} kills, ${store}`, { timeout: 60_000 + KILLS * 60_000 }, async () => {
  const service = await new Service().start();
  after(() => service.server.close());
  const adapter = { module: 'webhook', options: { url: service.url } };
  const options = { push: { adapter, queueOptions: { batchSize: BATCH } } };
  const database = freshDatabase();
  let server = await startServer(options, { database });
  await install(server);
  for (let round = 0; round < KILLS; round += 1) {
    const ids = [];
    for (let index = 0; index < PUSHES; index += 1) ids.push(await push(server));
    await sleep(Math.random() * 500);
    await server.kill();
    server = await startServer(options, { database });
    for (const id of ids) check(service, await finished(server, id));
  }
  await server.stop();
});
