// Requests that schemathesis generates from the served document get answers that the document describes, and never a 5xx:
// from an application, from a user and with the master key.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { keys } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { pythonPrograms } from './python-tools.mjs';
import { ended, here, plain, saveDocument, schemas, startTyped } from './support.mjs';

/** The caller, and an operation of which one in ten must succeed; otherwise the run had no access. */
const callers = { application: 'getConfig', session: 'getCurrentUser', master: 'listSchemas' };
/** Seconds on one store. */
const seconds = Number(process.env.REPARSE_TEST_SCHEMATHESIS_SECONDS ?? 60);
const seed = process.env.REPARSE_TEST_SCHEMATHESIS_SEED ?? '20';

async function made(server, where, json) {
  const answer = await server.request('POST', where, { master: true, json });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

/** Makes objects; returns their ids by the names they have in schemathesis.toml. */
async function furnish(server) {
  const team = await made(server, '/classes/Team', { name: 'Reds' });
  const user = await made(server, '/users', { username: 'ann', password: 'correct horse' });
  const score = await made(server, '/classes/GameScore', { player: 'ann', score: 7, team: { __type: 'Pointer', className: 'Team', objectId: team.objectId } });
  const role = await made(server, '/roles', { name: 'Moderators', ACL: { '*': { read: true } } });
  const session = await server.request('GET', '/sessions/me', { session: user.sessionToken });
  return { TEAM_ID: team.objectId, USER_ID: user.objectId, SCORE_ID: score.objectId, ROLE_ID: role.objectId, SESSION_ID: session.body.objectId };
}

/** Makes a class that the document does not speak of, for calls that change classes. */
async function addSpare(server) {
  const answer = await server.request('POST', '/schemas', { master: true, json: { className: 'Spare', fields: { name: { type: 'String' } } } });
  assert.equal(answer.status, 200, answer.text);
}

/** The document spoke of these classes as they still are. */
async function unchanged(server) {
  for (const { className, fields } of schemas) {
    const now = await server.request('GET', `/schemas/${className}`, { master: true });
    assert.equal(now.status, 200, now.text);
    for (const [name, { type }] of Object.entries(fields)) assert.equal(now.body.fields[name]?.type, type, `${className}.${name}`);
  }
}

/** Writes the configuration with the ids of objects in it. */
function configure(dir, ids) {
  const template = fs.readFileSync(path.join(here, 'schemathesis/schemathesis.toml'), 'utf8');
  const file = path.join(dir, 'schemathesis.toml');
  fs.writeFileSync(file, template.replace(/\$\{([A-Z_]+)\}/g, (_, name) => ids[name]));
  return file;
}

describe('made-up requests', () => {
  let schemathesis;
  before(async () => {
    schemathesis = path.join(await pythonPrograms(), 'schemathesis');
  });

  for (const [caller, witness] of Object.entries(callers)) {
    test(`of ${caller}`, async t => {
      const server = await startTyped();
      const dir = tempDir();
      const tally = path.join(dir, 'tally.json');
      const share = Math.max(1, Math.round(seconds / Object.keys(callers).length));
      const ids = await furnish(server);
      const args = ['--config-file', configure(dir, ids), 'run', await saveDocument(server, dir)];
      await addSpare(server);
      args.push('--url', server.url, '--seed', seed, '--max-time', String(share), '--no-color', '--generation-database', 'none');
      args.push('--header', `X-Parse-Application-Id:${keys.appId}`);
      if (caller === 'master') args.push('--header', `X-Parse-Master-Key:${keys.masterKey}`);
      const hooks = { SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: path.join(here, 'schemathesis'), PYTHONDONTWRITEBYTECODE: '1' };
      const env = { ...ids, ...hooks, CALLER: caller, REPARSE_URL: server.url, TALLY: tally };
      const { code, output } = await ended(schemathesis, args, { cwd: dir, env, limit: share * 1000 + 300_000 });
      assert.equal(code, 0, plain(output));
      assert.ok(server.child.alive, server.child.output);
      await unchanged(server);
      const answers = JSON.parse(fs.readFileSync(tally, 'utf8'));
      const succeeded = name => Object.keys(answers[name] ?? {}).some(status => status.startsWith('2'));
      const sum = counts => Object.values(counts).reduce((total, count) => total + count, 0);
      const good = Object.entries(answers[witness] ?? {}).filter(([status]) => status.startsWith('2'));
      assert.ok(sum(answers[witness] ?? {}) <= 10 * sum(Object.fromEntries(good)) + 10, `${witness}: ${JSON.stringify(answers[witness])}`);
      const requests = sum(Object.values(answers).map(sum));
      t.diagnostic(`${requests} requests; of ${Object.keys(answers).length} operations ${Object.keys(answers).filter(succeeded).length} succeeded`);
      await server.stop();
    });
  }
});
