// Functions and adapters that a configuration names by module.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';

const modules = {
  'mail.js': `
    const fs = require('fs');
    module.exports = class {
      constructor({ log }) { this.log = log; }
      sendVerificationEmail({ user }) { fs.appendFileSync(this.log, 'mail ' + user.get('email') + '\\n'); }
      sendMail() {}
    };`,
  'verify.mjs': `export default async ({ object, createdWith, ip }) => {
    if (object.get('username') === 'broken') throw new Parse.Error(4711, 'cannot say');
    if (object.get('username') === 'deep') await new Parse.User().save({ username: 'deep', password: 'long enough', email: 'deep' + Math.random() + '@example.com' }, { useMasterKey: true });
    return Boolean(object.get('email')?.startsWith('new')) && typeof ip === 'string' && Boolean(createdWith);
  };`,
  'prevent.js': 'module.exports = ({ object }) => object.get("username") !== "trusted";',
  'send.js': 'module.exports = ({ user, master }) => !master && user.get("username") !== "silent";',
  'password.js': 'module.exports = async password => password.length >= 8;',
  'before.js': `module.exports = async () => {
    const found = await new Parse.Query('Defined').find({ useMasterKey: true });
    require('fs').writeFileSync('migrated', 'before ' + found.length);
  };`,
  'after.js': "module.exports = () => new Parse.Object('Defined').save({ number: 5 }, { useMasterKey: true });",
  'analytics.js': "module.exports = { trackEvent: async (name, parameters, request) => ({ name, parameters, master: request.master }), appOpened() { throw new Error('never mind'); } };",
  'files.js': `
    const files = new Map();
    module.exports = ({ cdn }) => ({
      createFile: async (name, data, contentType, { metadata }) => void files.set(name, { data, metadata }),
      deleteFile: async name => { if (!files.delete(name)) throw new Error('none'); },
      getFileData: async name => files.get(name).data,
      getMetadata: async name => ({ metadata: files.get(name).metadata }),
      getFileLocation: (config, name) => cdn + '/' + encodeURIComponent(name),
    });`,
  'hangs.js': 'module.exports = () => new Promise(() => {});',
  'nothing.js': 'module.exports = { not: "a function" };',
};

/** The modules in a folder of their own. */
function folder() {
  const dir = tempDir();
  for (const [name, text] of Object.entries(modules)) fs.writeFileSync(path.join(dir, name), text);
  return dir;
}

describe('modules that options name', () => {
  const cwd = folder();
  const log = path.join(cwd, 'mails');
  const named = module => ({ module: `./${module}` });
  let server;
  const mails = () => (fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').filter(Boolean) : []);
  const signUp = (username, email, options = {}) => server.request('POST', '/users', { json: { username, password: 'long enough', email }, ...options });

  before(async () => {
    server = await startServer({
      appName: 'Demo', publicServerURL: 'http://127.0.0.1:1/parse', fileUpload: { enableForPublic: true },
      emailAdapter: { module: './mail.js', options: { log } },
      verifyUserEmails: named('verify.mjs'), preventLoginWithUnverifiedEmail: named('prevent.js'), sendUserEmailVerification: named('send.js'),
      passwordPolicy: { validatorCallback: named('password.js'), validationError: 'too short' },
      schema: {
        definitions: [{ className: 'Defined', fields: { number: { type: 'Number' } }, classLevelPermissions: { find: { '*': true } } }],
        beforeMigration: named('before.js'), afterMigration: named('after.js'),
      },
      analyticsAdapter: './analytics.js', filesAdapter: { module: './files.js', options: { cdn: 'https://cdn.example.com/f' } },
      reparse: { cloudTimeoutMs: 4000, cloudDepth: 4 },
    }, { cwd });
  });
  after(() => server?.stop());

  test('functions around the class definitions', async () => {
    assert.equal(fs.readFileSync(path.join(cwd, 'migrated'), 'utf8'), 'before 0');
    const { body } = await server.request('GET', '/classes/Defined');
    assert.deepEqual(body.results.map(({ number }) => number), [5]);
  });

  test('a function judges passwords', async () => {
    const refused = await server.request('POST', '/users', { json: { username: 'short', password: 'short' } });
    assert.deepEqual(refused.body, { code: 142, error: 'too short' });
    assert.equal((await signUp('long')).status, 201);
  });

  test('functions say whether an address is verified, before who logs in, and by a mail', async () => {
    const login = username => server.request('POST', '/login', { json: { username, password: 'long enough' } });
    const plain = await signUp('plain', 'plain@example.com');
    assert.ok(plain.body.sessionToken && !('emailVerified' in plain.body));
    assert.equal((await login('plain')).status, 200);
    const fresh = await signUp('fresh', 'new1@example.com');
    assert.equal(fresh.status, 201);
    assert.ok(!fresh.body.sessionToken);
    assert.deepEqual((await login('fresh')).body, { code: 205, error: 'User email is not verified.' });
    const trusted = await signUp('trusted', 'new2@example.com');
    assert.ok(trusted.body.sessionToken);
    await signUp('silent', 'new3@example.com');
    for (const end = Date.now() + 10_000; mails().length < 2 && Date.now() < end; ) await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(mails(), ['mail new1@example.com', 'mail new2@example.com']);
    // An update says nothing of how somebody came in: the function does not want it verified.
    const changed = await server.request('PUT', `/users/${plain.body.objectId}`, { session: plain.body.sessionToken, json: { email: 'new9@example.com' } });
    assert.equal(changed.status, 200);
    const read = await server.request('GET', `/users/${plain.body.objectId}`, { master: true });
    assert.ok(!('emailVerified' in read.body));
  });

  test('what a function throws reaches the client, and nothing is stored', async () => {
    const refused = await signUp('broken', 'broken@example.com');
    assert.deepEqual([refused.status, refused.body], [400, { code: 4711, error: 'cannot say' }]);
    const { body } = await server.request('GET', '/users?where={"username":"broken"}', { master: true });
    assert.deepEqual(body.results, []);
  });

  test('a function that calls itself without end is stopped', async () => {
    const refused = await signUp('deep', 'deep@example.com');
    assert.equal(refused.status, 400);
    assert.match(refused.body.error, /more than 4 times \(option cloudDepth\)/);
  });

  test('an adapter hears of events', async () => {
    const told = await server.request('POST', '/events/bought', { json: { dimensions: { what: 'apple' } } });
    assert.deepEqual(told.body, { name: 'bought', parameters: { dimensions: { what: 'apple' } }, master: false });
    const failed = await server.request('POST', '/events/AppOpened', { json: {} });
    assert.deepEqual([failed.status, failed.body], [200, {}]);
  });

  test('an adapter keeps files, and gives them addresses', async () => {
    const bytes = Buffer.alloc(3_000_000, 'reparse ');
    const stored = await server.request('POST', '/files/big.bin', { data: bytes, headers: { 'Content-Type': 'application/octet-stream' } });
    assert.equal(stored.status, 201);
    assert.equal(stored.body.url, `https://cdn.example.com/f/${stored.body.name}`);
    const read = await server.request('GET', `/files/app/${stored.body.name}`);
    assert.equal(read.status, 200);
    assert.equal(Number(read.headers['content-length']), bytes.length);
    const part = await server.request('GET', `/files/app/${stored.body.name}`, { headers: { Range: 'bytes=8-15' } });
    assert.deepEqual([part.status, part.text], [206, 'reparse ']);
    assert.deepEqual(fs.readdirSync(process.env.TMPDIR ?? '/tmp').filter(name => name.startsWith('reparse-file-')), []);
    assert.equal((await server.request('DELETE', `/files/${stored.body.name}`, { master: true })).status, 200);
    assert.equal((await server.request('GET', `/files/app/${stored.body.name}`)).status, 404);
  });
});

test('modules that cannot be used keep the server from starting', async () => {
  const cwd = folder();
  for (const [options, text] of [
    [{ passwordPolicy: { validatorCallback: { module: './nowhere.js' } } }, /option passwordPolicy\.validatorCallback: \.\/nowhere\.js: .*cannot find/is],
    [{ passwordPolicy: { validatorCallback: { module: './nothing.js' } } }, /option passwordPolicy\.validatorCallback: \.\/nothing\.js: it exports no function/],
    [{ passwordPolicy: { validatorCallback: { modul: './nothing.js' } } }, /passwordPolicy\.validatorCallback/],
    [{ verifyUserEmails: { module: 5 } }, /verifyUserEmails\.module/],
    [{ filesAdapter: './nowhere.js' }, /option filesAdapter: \.\/nowhere\.js: .*cannot find/is],
    [{ analyticsAdapter: { module: './nowhere.js' } }, /option analyticsAdapter: \.\/nowhere\.js: .*cannot find/is],
    [{ schema: { definitions: [], beforeMigration: { module: './hangs.js' } }, reparse: { cloudTimeoutMs: 1000 } }, /did not answer in time/i],
  ]) {
    const { file } = await writeConfig({ appName: 'Demo', publicServerURL: 'http://127.0.0.1:1/parse', emailAdapter: 'file', ...options });
    if (options.verifyUserEmails === undefined) fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), emailAdapter: undefined }));
    const child = spawnReparse([file], { cwd });
    const timer = setTimeout(() => child.kill(), 20_000);
    const { code, signal } = await child.ended;
    clearTimeout(timer);
    assert.ok(code !== 0 && signal === null, `${JSON.stringify(options)}:\n${child.output}`);
    assert.match(child.output, text);
  }
});
