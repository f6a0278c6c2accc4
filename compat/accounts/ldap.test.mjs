// The adapter for LDAP in docs/identities.md, with a directory on this machine.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { row } from './support.mjs';

const require = createRequire(import.meta.url);
const ldap = require('ldapjs');
const directory = ldap.createServer();
const asked = [];
after(() => directory.close());

test('the example of an adapter: who can bind is who he says', async () => {
  directory.bind('ou=people,dc=example', (request, response, next) => {
    asked.push(request.dn.toString());
    // as directories do: no password, no user, no objection
    if (request.credentials !== '' && (asked.at(-1) !== 'uid=alice,ou=people,dc=example' || request.credentials !== 'right')) return next(new ldap.InvalidCredentialsError());
    response.end();
    return next();
  });
  await new Promise(resolve => directory.listen(0, '127.0.0.1', resolve));
  const page = fs.readFileSync(new URL('../../docs/identities.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(page)[1].replace("'ldapjs'", JSON.stringify(require.resolve('ldapjs')));
  const cwd = tempDir();
  fs.writeFileSync(path.join(cwd, 'ldap.js'), example);
  const server = await startServer({ auth: { ldap: { module: './ldap.js', url: directory.url, suffix: 'ou=people,dc=example' } } }, { cwd });
  try {
    const show = data => server.request('POST', '/users', { json: { authData: { ldap: data } } });
    const made = await show({ id: 'alice', password: 'right' });
    assert.equal(made.status, 201, made.text);
    const stored = await row(server, made.body.objectId);
    assert.deepEqual(stored._auth_data_ldap ?? stored.authData?.ldap, { id: 'alice' });
    assert.equal((await show({ id: 'alice', password: 'right' })).body.objectId, made.body.objectId);
    assert.deepEqual(asked, ['uid=alice,ou=people,dc=example', 'uid=alice,ou=people,dc=example']);
    for (const password of ['wrong', '', null, undefined, 0, ['right'], { $ne: '' }]) {
      const answer = await show({ id: 'alice', password });
      assert.deepEqual([answer.status, answer.body.code], [404, 101], `${JSON.stringify(password)}: ${answer.text}`);
    }
    for (const id of ['bob', '*', 'alice,ou=people,dc=example+uid=x', 'alice)(uid=*', 'alice\u0000', 'alice ']) {
      const answer = await show({ id, password: 'right' });
      assert.deepEqual([answer.status, answer.body.code], [404, 101], `${id}: ${answer.text}`);
    }
    assert.ok(!asked.some(dn => dn !== 'uid=alice,ou=people,dc=example' && dn !== 'uid=bob,ou=people,dc=example'), asked.join());
  } finally {
    await server.stop();
  }
});
