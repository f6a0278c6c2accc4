// Requests that schemathesis makes up from the served document get answers the document describes, and never a 5xx:
// from an application, from a user and with the master key.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, test } from 'node:test';
import { keys } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { pythonPrograms } from './python-tools.mjs';
import { ended, here, plain, saveDocument, startTyped } from './support.mjs';

const callers = ['application', 'session', 'master'];
/** Seconds for all callers on one store. */
const seconds = Number(process.env.REPARSE_TEST_SCHEMATHESIS_SECONDS ?? 60);
const seed = Number(process.env.REPARSE_TEST_SCHEMATHESIS_SEED ?? 20);

async function made(server, where, json) {
  const answer = await server.request('POST', where, { master: true, json });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

/** Objects whose ids the generated requests name. */
async function furnish(server) {
  const team = await made(server, '/classes/Team', { name: 'Reds' });
  const user = await made(server, '/users', { username: 'ann', password: 'correct horse' });
  const score = await made(server, '/classes/GameScore', { player: 'ann', score: 7, team: { __type: 'Pointer', className: 'Team', objectId: team.objectId } });
  const role = await made(server, '/roles', { name: 'Moderators', ACL: { '*': { read: true } } });
  const session = await server.request('GET', '/sessions/me', { session: user.sessionToken });
  return { TEAM_ID: team.objectId, USER_ID: user.objectId, SCORE_ID: score.objectId, ROLE_ID: role.objectId, SESSION_ID: session.body.objectId };
}

describe('generated requests', () => {
  let schemathesis;
  before(async () => {
    schemathesis = path.join(await pythonPrograms(), 'schemathesis');
  });

  for (const caller of callers) {
    test(`of ${caller}`, async () => {
      const server = await startTyped();
      const dir = tempDir();
      const ids = await furnish(server);
      const share = Math.max(1, Math.round(seconds / callers.length));
      const headers = { 'X-Parse-Application-Id': keys.appId, ...(caller === 'master' && { 'X-Parse-Master-Key': keys.masterKey }) };
      const args = ['--config-file', path.join(here, 'schemathesis/schemathesis.toml'), 'run', await saveDocument(server, dir)];
      args.push('--url', server.url, '--seed', String(seed), '--max-time', String(share), '--no-color', '--generation-database', 'none');
      for (const [name, value] of Object.entries(headers)) args.push('--header', `${name}:${value}`);
      const env = { ...ids, CALLER: caller, TALLY: `/tmp/st/${process.env.REPARSE_TEST_STORE}-${caller}.json`, REPARSE_URL: server.url, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: path.join(here, 'schemathesis') };
      const { code, output } = await ended(schemathesis, args, { cwd: dir, env, limit: share * 1000 + 300_000 });
      fs.writeFileSync(`/tmp/st/${process.env.REPARSE_TEST_STORE}-${caller}.log`, output);assert.equal(code, 0, plain(output));
      assert.ok(server.child.alive, server.child.output);
      await server.stop();
    });
  }
});
