// `parse-dbtool` brings a database into shape by migrations, takes them back, and fills it. The migrations do what those of real apps do
// to classes: fields of every type, pointers, permissions, indexes, a field that is there already, a field that goes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { npm, run, version } from './support.mjs';
import { keys, startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';

/** The migrations by name: what `up` and `down` do with `Parse.Schema`. */
const MIGRATIONS = {
  '01-author': ["new Parse.Schema('Author').addString('name', { required: true }).addNumber('born').save()", "new Parse.Schema('Author').delete()"],
  '02-book': [
    "new Parse.Schema('Book').addString('title').addBoolean('sold', { defaultValue: false }).addDate('printed').addArray('tags').addObject('more').addGeoPoint('place').addFile('cover').addString('raw').addPolygon('area').save()",
    "new Parse.Schema('Book').delete()",
  ],
  '03-pointer': ["new Parse.Schema('Book').addPointer('author', 'Author').addRelation('readers', '_User').update()", "new Parse.Schema('Book').deleteField('author').deleteField('readers').update()"],
  '04-same-field-again': ["new Parse.Schema('Book').addString('title').addPointer('author', 'Author').update()", 'Promise.resolve(true)'],
  '05-rights': [
    "new Parse.Schema('Book').setCLP({ find: { '*': true }, get: { '*': true }, count: {}, create: { requiresAuthentication: true }, update: { 'role:editor': true }, delete: {}, addField: {}, protectedFields: { '*': ['raw'] } }).update()",
    "new Parse.Schema('Book').setCLP({ find: { '*': true }, get: { '*': true } }).update()",
  ],
  '06-index': ["new Parse.Schema('Book').addIndex('byTitle', { title: 1 }).addIndex('byAuthor', { author: 1, title: -1 }).update()", "new Parse.Schema('Book').deleteIndex('byTitle').deleteIndex('byAuthor').update()"],
  '07-user-field': ["new Parse.Schema('_User').addString('nick').update()", "new Parse.Schema('_User').deleteField('nick').update()"],
  '08-field-goes': ["new Parse.Schema('Book').deleteField('place').update()", "new Parse.Schema('Book').addGeoPoint('place').update()"],
  '09-role': ["new Parse.Role('editor', new Parse.ACL()).save(null, { useMasterKey: true })", "new Parse.Query(Parse.Role).equalTo('name', 'editor').first({ useMasterKey: true }).then(role => role.destroy({ useMasterKey: true }))"],
  '10-rows': ["Parse.Object.saveAll([1, 2, 3].map(born => new Parse.Object('Author', { name: 'a' + born, born })), { useMasterKey: true })", "new Parse.Schema('Author').purge()"],
};

/** More of them, up to as many as an app collects over the years: each makes a class that points to the one before, and then changes it. */
const MORE = Number(process.env.REPARSE_TEST_MIGRATIONS ?? 12) - Object.keys(MIGRATIONS).length;
for (let number = 1; number <= MORE; number++) {
  const [name, before] = [`Step${number}`, number === 1 ? 'Author' : `Step${number - 1}`];
  const field = ['addString', 'addNumber', 'addBoolean', 'addDate', 'addArray', 'addObject', 'addGeoPoint'][number % 7];
  MIGRATIONS[`05-step-${String(number).padStart(3, '0')}`] = [
    `new Parse.Schema('${name}').addPointer('before', '${before}').save().then(() => new Parse.Schema('${name}').${field}('value').addIndex('byBefore', { before: 1 }).update())`,
    `new Parse.Schema('${name}').delete()`,
  ];
}

const NAMES = Object.keys(MIGRATIONS).sort();

describe(`parse-dbtool ${version('parse-dbtool')}`, () => {
  let server;
  let folder;
  before(async () => {
    server = await startServer();
    folder = tempDir('dbtool');
  });
  after(() => server?.stop());

  const tool = (...args) =>
    run(process.execPath, [npm('parse-dbtool/src/parse-dbtool.js'), ...args], {
      cwd: folder,
      env: { APPLICATION_ID: keys.appId, MASTER_KEY: keys.masterKey, JAVASCRIPT_KEY: '', SERVER_URL: server.url },
    });
  const schema = async name => (await server.request('GET', `/schemas/${name}`, { master: true })).body;

  test('makes its class and folders', async () => {
    await tool('init');
    assert.deepEqual((await schema('Migration')).classLevelPermissions.find, {});
    for (const [name, [up, down]] of Object.entries(MIGRATIONS)) {
      fs.writeFileSync(path.join(folder, 'databases/migrations', `${name}.js`), `exports.up = async Parse => ${up};\nexports.down = async Parse => { await ${down}; return true; };\n`);
    }
    fs.writeFileSync(path.join(folder, 'databases/seeders', '1-books.js'), "exports.run = async Parse => new Parse.Object('Book', { title: 'seed' }).save(null, { useMasterKey: true });\n");
  });

  test('migrates up', async () => {
    const output = await tool('migrate');
    for (const name of NAMES) assert.match(output, new RegExp(`Migrated {2}${name}`), output);
    const book = await schema('Book');
    assert.deepEqual(book.fields.author, { type: 'Pointer', targetClass: 'Author' });
    assert.equal(book.fields.place, undefined);
    assert.deepEqual(book.indexes.byTitle, { title: 1 });
    assert.deepEqual(book.classLevelPermissions.protectedFields, { '*': ['raw'] });
    assert.equal((await schema('_User')).fields.nick.type, 'String');
    assert.equal((await schema('Author')).fields.name.required, true);
    assert.equal((await server.request('GET', '/classes/Author', { query: { count: 1 }, master: true })).body.count, 3);
    assert.match(await tool('migrate'), /already up to date/);
  });

  test('seeds', async () => {
    assert.match(await tool('seed'), /Done {4}1-books/);
    assert.equal((await server.request('GET', '/classes/Book', { master: true })).body.results[0].sold, false);
  });

  test('takes the last migrations back and does them again', async () => {
    const output = await tool('migration:undo', '4');
    for (const name of NAMES.slice(-4)) assert.match(output, new RegExp(`Reverted {2}${name}`), output);
    const book = await schema('Book');
    assert.deepEqual(book.fields.place, { type: 'GeoPoint' });
    assert.equal((await schema('_User')).fields.nick, undefined);
    assert.match(await tool('migrate'), new RegExp(`Migrated {2}${NAMES.at(-1)}`));
    assert.equal((await server.request('GET', '/classes/Author', { query: { count: 1 }, master: true })).body.count, 3);
  });
});
