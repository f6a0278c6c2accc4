// The process of the cloud code is killed again and again during writes whose class has beforeSave and afterSave: what is
// acknowledged went through beforeSave, what is refused is not there, and the server goes on. A job whose server is killed is
// marked as failed. REPARSE_TEST_WRITES is the number of writes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sleep, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const WRITES = Number(process.env.REPARSE_TEST_WRITES ?? 1000);
const WRITERS = 16;
const KILLS = 5;

const CODE = `
  const pause = ms => new Promise(done => setTimeout(done, ms));
  Parse.Cloud.beforeSave('Thing', async ({ object }) => {
    await pause(object.get('n') % 7);
    object.set('stamp', object.get('n') * 7 + 1);
    object.set('list', [object.get('n'), object.get('n') + 1]);
  });
  Parse.Cloud.afterSave('Thing', async ({ object }) => {
    await pause(object.get('n') % 5);
    await new Parse.Object('Note').save({ thing: object.id, n: object.get('n') }, { useMasterKey: true });
  });
  Parse.Cloud.job('endless', request => { request.message('begun'); return new Promise(() => {}); });
`;

function options() {
  const main = path.join(tempDir('reparse-cloud-code'), 'main.js');
  fs.writeFileSync(main, CODE);
  return { cloud: main, allowClientClassCreation: true };
}

/** The processes that a process has started. */
function childrenOf(pid) {
  const tasks = fs.readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap(task => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
}

async function all(server, className) {
  const answer = await server.request('GET', `/classes/${className}`, { master: true, query: { limit: 100_000 } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.results;
}

test('Node is killed while objects are written', async t => {
  const server = await startServer(options());
  try {
    const attempts = Array.from({ length: WRITES }, (_, n) => ({ n }));
    const left = [...attempts];
    const writers = Array.from({ length: WRITERS }, async () => {
      for (let attempt = left.shift(); attempt; attempt = left.shift()) {
        const answer = await server.request('POST', '/classes/Thing', { json: { n: attempt.n }, timeout: 60_000 });
        Object.assign(attempt, { status: answer.status, body: answer.body });
        // Whoever is refused comes back a little later.
        if (answer.status !== 201) await sleep(20);
      }
    });
    let killed = 0;
    const done = () => attempts.filter(({ status }) => status).length;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await until(() => done() > (kill * WRITES) / (KILLS + 1) || left.length === 0, { every: 2, limit: 120_000, what: 'more writes' });
      for (const node of childrenOf(server.child.pid)) {
        process.kill(node, 'SIGKILL');
        killed += 1;
      }
    }
    await Promise.all(writers);
    assert.ok(killed > 0, 'Node was never there to be killed');
    assert.ok(server.child.alive, server.child.output);

    const things = new Map((await all(server, 'Thing')).map(thing => [thing.n, thing]));
    for (const { n, status, body } of attempts) {
      const thing = things.get(n);
      if (status !== 201) {
        assert.equal(thing, undefined, `${n} was refused with ${status} and is there`);
        assert.equal(body.code, 141, JSON.stringify(body));
        continue;
      }
      assert.equal(thing?.objectId, body.objectId, `${n} was acknowledged and is gone`);
      assert.deepEqual([thing.stamp, thing.list], [n * 7 + 1, [n, n + 1]], `${n} was written without its beforeSave`);
      assert.equal(body.stamp, thing.stamp);
    }
    const notes = await all(server, 'Note');
    for (const { thing, n } of notes) assert.equal(things.get(n)?.objectId, thing, `a note of ${n}, which is not there`);
    const acknowledged = attempts.filter(({ status }) => status === 201).length;
    t.diagnostic(`${killed} kills: ${acknowledged} of ${WRITES} acknowledged, ${notes.length} notes of afterSave`);
    assert.ok(acknowledged > WRITES / 2, `only ${acknowledged} of ${WRITES} were acknowledged`);
    // Everything works as before.
    const last = await server.request('POST', '/classes/Thing', { json: { n: -1 }, timeout: 60_000 });
    assert.equal(last.body.stamp, -6, last.text);
  } finally {
    await server.stop();
  }
});

test('a job whose server is killed is marked as failed', async () => {
  const database = freshDatabase();
  const first = await startServer(options(), { database });
  const started = await first.request('POST', '/jobs/endless', { master: true, json: {} });
  const id = started.headers['x-parse-job-status-id'];
  const row = async server => (await server.request('GET', `/classes/_JobStatus/${id}`, { master: true })).body;
  await until(async () => (await row(first)).message === 'begun', { every: 20, what: 'the job begins' });
  await first.kill();
  const second = await startServer(options(), { database });
  try {
    assert.equal((await row(second)).status, 'running');
    await until(async () => (await row(second)).status === 'failed', { every: 250, limit: 90_000, what: 'the job is marked as failed' });
    assert.equal((await row(second)).message, 'The server that ran the job stopped.');
  } finally {
    await second.stop();
  }
});
