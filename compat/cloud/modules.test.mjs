// Functions and adapters that a configuration names by module.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../lib/net.mjs';
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
  'password.js': `module.exports = async password => {
    if (password.startsWith('asks')) await new Parse.Object('Asked').save({ who: password }, { useMasterKey: true });
    return password.length >= 8;
  };`,
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
  'auth.js': `module.exports = {
    validateAppId: async () => {},
    validateAuthData: async ({ id, token }) => {
      await new Parse.Object('Asked').save({ who: id }, { useMasterKey: true });
      if (token !== 'good') throw new Parse.Error(101, 'not this token');
    },
  };`,
  'page.js': 'module.exports = async ({ params, query, body, ip }) => ({ file: "own.html", query: { name: params.name ?? body.name, what: query.what, ip: typeof ip } });',
  'log.js': `
    const fs = require('fs');
    module.exports = class {
      constructor({ file }) { this.file = file; }
      async log(level, message, fields) {
        console.log('printed by the adapter');
        new Parse.Query('Nothing').find().catch(() => {});
        if (message.includes('lost')) throw new Error('disk full');
        fs.appendFileSync(this.file, JSON.stringify({ level, message, fields }) + '\\n');
      }
    };`,
  'main.js': "Parse.Cloud.define('say', ({ params, log }) => log.warn(params.text)); Parse.Cloud.define('nice', () => require('os').getPriority()); Parse.Cloud.define('print', ({ params }) => console.log(params.text));",
  'values.js': "module.exports = async ({ appName }) => ({ greeting: `Hello from <${appName}>` });",
  'greet.html': '<p>{{greeting}}</p>',
  'own.html': '<p>{{appName}} {{name}} {{what}} {{ip}}</p>',
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
      auth: { own: { module: './auth.js' } },
      pages: {
        pagesPath: cwd,
        placeholders: named('values.js'),
        customRoutes: [{ method: 'GET', path: 'hello/:name', handler: named('page.js') }, { method: 'POST', path: 'form', handler: named('page.js') }],
      },
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

  test('identity providers are asked before a transaction begins, once for each part', async () => {
    const asked = async () => (await server.request('GET', '/classes/Asked?order=who', { master: true })).body.results.map(({ who }) => who);
    const part = (id, token = 'good') => ({ method: 'POST', path: '/parse/users', body: { authData: { own: { id, token } } } });
    const run = (...requests) => server.request('POST', '/batch', { json: { transaction: true, requests } });
    const made = await run(part('t1'), part('t2'));
    assert.equal(made.status, 200, made.text);
    assert.deepEqual(await asked(), ['t1', 't2']);
    // The first part is a log in now.
    const again = await run(part('t1'), part('t3'));
    assert.equal(again.status, 200, again.text);
    assert.equal(again.body[0].success.objectId, made.body[0].success.objectId);
    assert.deepEqual(await asked(), ['t1', 't1', 't2', 't3']);
    // So is the function that judges passwords.
    const signUp = name => ({ method: 'POST', path: '/parse/users', body: { username: name, password: `asks of ${name}` } });
    const judged = await run(signUp('judged1'), signUp('judged2'));
    assert.equal(judged.status, 200, judged.text);
    assert.deepEqual(await asked(), ['asks of judged1', 'asks of judged2', 't1', 't1', 't2', 't3']);
    const refused = await run(part('t4'), part('t5', 'bad'));
    assert.deepEqual([refused.status, refused.body], [404, { code: 101, error: 'not this token' }]);
    assert.deepEqual((await server.request('GET', '/users?count=1&limit=0&where={"authData.own.id":"t4"}', { master: true })).body.count, 0);
  });

  test('a function answers a route of the pages', async () => {
    const get = await server.request('GET', '/apps/app/hello/%3CAnn%3E?what=1');
    assert.deepEqual([get.status, get.text], [200, '<p>Demo &lt;Ann&gt; 1 string</p>']);
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const post = await server.request('POST', '/apps/app/form', { data: 'name=Bea', headers: form });
    assert.deepEqual([post.status, post.text], [200, '<p>Demo Bea  string</p>']);
    assert.equal((await server.request('GET', '/apps/app/form')).status, 404);
    assert.equal((await server.request('GET', '/apps/other/hello/Ann')).status, 403);
  });

  test('a function gives the values for placeholders', async () => {
    const page = await server.request('GET', '/apps/greet.html?appId=app');
    assert.deepEqual([page.status, page.text], [200, '<p>Hello from &lt;Demo&gt;</p>']);
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

test('an adapter keeps the log, and what it prints or logs itself does not come back to it', async () => {
  const cwd = folder();
  const file = path.join(cwd, 'lines');
  const options = { cloud: './main.js', loggerAdapter: { module: './log.js', options: { file } }, logLevel: 'info', reparse: { cloudNice: 7 } };
  const server = await startServer(options, { cwd });
  const lines = () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line)) : []);
  const say = (name, text) => server.request('POST', `/functions/${name}`, { json: { text } });
  for (const text of ['first', 'it is lost', 'last']) assert.equal((await say('say', text)).status, 200);
  assert.equal((await say('nice')).body.result, 7);
  assert.equal((await say('print', 'on paper')).status, 200);
  await until(() => lines().some(({ message }) => message === 'last'), { what: 'the last line' });
  const said = lines().filter(({ level }) => level === 'warn').map(({ message }) => message);
  assert.deepEqual(said, ['first', 'last']);
  assert.ok(lines().some(({ message, fields }) => message === 'function done' && fields.function === 'say'), JSON.stringify(lines()));
  assert.ok(!lines().some(({ message }) => /printed|on paper/.test(message)));
  await until(() => /option loggerAdapter: lines were lost: .*disk full/.test(server.child.output), { what: 'what was lost' });
  await until(() => server.child.output.includes('on paper'), { what: 'what is printed' });
  assert.ok(!server.child.output.includes('first'), server.child.output);
  await server.stop();
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
    [{ loggerAdapter: './password.js' }, /option loggerAdapter: it has no method log/],
    [{ pages: { customRoutes: [{ method: 'GET', path: 'x', handler: { module: './nothing.js' } }] } }, /option pages\.customRoutes\[0\]\.handler: \.\/nothing\.js: it exports no function/],
    [{ pages: { customRoutes: [{ method: 'FETCH', path: 'x', handler: { module: './page.js' } }] } }, /option pages\.customRoutes\[0\]: method "FETCH"/],
    [{ pages: { customRoutes: [{ method: 'GET', path: 'x' }] } }, /option pages\.customRoutes\[0\]: it has no handler/],
    [{ schema: { definitions: [], beforeMigration: { module: './hangs.js' } }, reparse: { cloudTimeoutMs: 1000 } }, /did not answer in time/i],
  ]) {
    const { file } = await writeConfig({ appName: 'Demo', publicServerURL: 'http://127.0.0.1:1/parse', emailAdapter: 'file', ...options });
    if (options.verifyUserEmails === undefined) fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), emailAdapter: undefined }));
    const child = spawnReparse([file], { cwd });
    const timer = setTimeout(() => child.kill(), 90_000);
    const { code, signal } = await child.ended;
    clearTimeout(timer);
    assert.ok(code !== 0 && signal === null, `${JSON.stringify(options)}:\n${child.output}`);
    assert.match(child.output, text);
  }
});
