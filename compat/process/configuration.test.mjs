// What the binary reports about configurations before it opens a store or a port.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { freePort } from '../lib/net.mjs';
import { keys, Server, spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';
import { directoryOf, refused, refusedWith } from './support.mjs';

const REFUSED = [
  ['a text for a number', { sessionLength: 'a year' }, /session ?length/i],
  ['a list for an object', { accountLockout: [] }, /accountLockout/],
  ['a number for a text', { appName: 5 }, /appName/],
  ['an unknown key', { appNam: 'x' }, /appNam\b.*appName/s],
  ['an unknown key inside a group', { accountLockout: { treshold: 3, duration: 5 } }, /treshold.*threshold/s],
  ['no master key', { masterKey: undefined }, /masterKey/],
  ['no application id', { appId: undefined }, /appId/],
  ['master and maintenance key alike', { maintenanceKey: keys.masterKey }, /maintenanceKey|masterKey/],
  ['master and read-only key alike', { readOnlyMasterKey: keys.masterKey }, /readOnlyMasterKey/],
  ['no database', { databaseURI: undefined }, /file:\.\/data.*mongodb:\/\/localhost:27017\/parse|mongodb:\/\/localhost:27017\/parse.*file:\.\/data/s],
  ['a database of another kind', { databaseURI: 'postgres://localhost/parse' }, /databaseURI/],
  ['a session length of nothing', { sessionLength: 0 }, /session ?length/i],
  ['a default limit of nothing', { defaultLimit: 0 }, /default ?limit/i],
  ['a public address that is none', { publicServerURL: 'example.com' }, /publicServerURL/],
  ['a lockout without bounds', { accountLockout: { threshold: 0, duration: 5 } }, /threshold/],
  ['a password history too long', { passwordPolicy: { maxPasswordHistory: 21 } }, /maxPasswordHistory/],
  ['master key addresses that are none', { masterKeyIps: ['nonsense'] }, /masterKeyIps/],
  ['a port that is none', { port: 70_000 }, /port/],
];
for (const [what, options, message] of REFUSED) {
  test(`refuses ${what}`, async () => {
    const database = options && 'databaseURI' in options ? options.databaseURI : freshDatabase('embedded');
    const output = await refused({ ...options, databaseURI: database });
    assert.match(output, message);
    if (database?.startsWith('file:')) assert.equal(fs.existsSync(directoryOf(database)), false, 'the store was opened');
  });
}

test('refuses a file that is missing, that is no JSON, and that holds several apps', async () => {
  const dir = tempDir();
  const write = text => {
    fs.writeFileSync(path.join(dir, 'config.json'), text);
    return refusedWith([path.join(dir, 'config.json')], { cwd: dir });
  };
  assert.match(await refusedWith([path.join(dir, 'nowhere.json')], { cwd: dir }), /nowhere\.json/);
  assert.match(await write('{"appId":'), /config\.json/);
  assert.match(await write('[]'), /config\.json|object/);
  await write(JSON.stringify({ apps: [{ ...keys }, { ...keys }] }));
});

test('refuses by name what it does not support, and warns instead if told to', async () => {
  const options = { middleware: 'm.js', nonsense: true };
  assert.match(await refused({ middleware: 'm.js' }), /middleware.*only a Node program can run middleware of Express/s);
  const server = await startServer(options, { args: ['--ignore-unsupported'] });
  await server.stop();
  for (const key of Object.keys(options)) assert.match(server.child.output, new RegExp(key));
});

test('starts with what makes no difference to it', async () => {
  const databaseOptions = { socketTimeoutMS: 1000, waitQueueTimeoutMS: 1000, compressors: 'zlib', zlibCompressionLevel: 1 };
  const server = await startServer({ cluster: 2, databaseOptions }, { database: freshDatabase('mongo') });
  await server.stop();
});

test('accepts with a warning what parse-server has dropped', async () => {
  const server = await startServer({ encodeParseObjectInCloudFunction: true });
  await server.stop();
  assert.match(server.child.output, /encodeParseObjectInCloudFunction/);
});

test('takes a file with one app in a list', async () => {
  const { file, config, dir } = await writeConfig();
  fs.writeFileSync(file, JSON.stringify({ apps: [config] }));
  const server = await new Server(spawnReparse([file], { cwd: dir }), config.port, config).ready();
  await server.stop();
});

test('flags win over the environment, the environment over the file', async () => {
  const { file, config, dir } = await writeConfig({ appId: 'from-file', masterKey: 'file-key' });
  const env = { PARSE_SERVER_APPLICATION_ID: 'from-environment', PARSE_SERVER_MASTER_KEY: 'environment-key' };
  const child = spawnReparse(['--appId', 'from-flag', file], { cwd: dir, env });
  const server = await new Server(child, config.port, config).ready();
  const status = async (app, key) => {
    const headers = { 'X-Parse-Application-Id': app, 'X-Parse-Master-Key': key };
    return (await server.request('GET', '/serverInfo', { headers })).status;
  };
  assert.equal(await status('from-flag', 'environment-key'), 200);
  assert.equal(await status('from-file', 'environment-key'), 403);
  assert.equal(await status('from-environment', 'environment-key'), 403);
  assert.equal(await status('from-flag', 'file-key'), 403);
  await server.stop();
});

test('everything by environment', async () => {
  const port = await freePort();
  const options = { ...keys, port, mountPath: '/parse' };
  const env = {
    PARSE_SERVER_APPLICATION_ID: 'app', PARSE_SERVER_MASTER_KEY: 'master', PARSE_SERVER_DATABASE_URI: freshDatabase('embedded'), PORT: String(port),
    PARSE_SERVER_HOST: '127.0.0.1', PARSE_SERVER_ENFORCE_PRIVATE_USERS: 'false', PARSE_SERVER_PROTECTED_FIELDS: '{"_User":{"*":["nickname"]}}',
  };
  const server = await new Server(spawnReparse([], { env, cwd: tempDir() }), port, options).ready();
  const { body } = await server.request('POST', '/users', { json: { username: 'alice', password: 'secret', nickname: 'Al' } });
  const seen = await server.request('GET', `/users/${body.objectId}`);
  assert.deepEqual([seen.status, seen.body.username, seen.body.nickname], [200, 'alice', undefined]);
  await server.stop();
});

test('--help names every option with its variable, and --version the version', async () => {
  const help = spawnReparse(['--help']);
  assert.equal((await help.ended).code, 0);
  for (const text of ['appId', 'PARSE_SERVER_APPLICATION_ID', 'sessionLength', '31536000', 'REPARSE_', '--ignoreUnsupported']) {
    assert.ok(help.output.includes(text), text);
  }
  const version = spawnReparse(['--version']);
  assert.equal((await version.ended).code, 0);
  assert.match(version.output, /reparse \d+\.\d+\.\d+/);
});

test('healthcheck tells by its exit status', async () => {
  const server = await startServer({}, { database: freshDatabase('embedded') });
  const ask = () => spawnReparse(['healthcheck', `${server.url}/health`]).ended;
  assert.equal((await ask()).code, 0);
  await server.stop();
  assert.notEqual((await ask()).code, 0);
});

test('a port that is taken', async () => {
  const server = await startServer({}, { database: freshDatabase('embedded') });
  const output = await refused({ port: server.port }, { database: freshDatabase('embedded') });
  assert.match(output, new RegExp(String(server.port)));
  await server.stop();
});
