import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, rejects, signUp, useServer } from '../support.mjs';

const held = useServer({ fileUpload: { enableForPublic: true, enableForAuthenticatedUser: true } });
const bytes = text => [...Buffer.from(text)];
const read = async file => Buffer.from(await (await fetch(file.url())).arrayBuffer()).toString();

test('a file is saved, read and destroyed', async () => {
  const file = await new Parse.File('hello.txt', bytes('hello'), 'text/plain').save();
  assert.match(file.name(), /^[0-9a-f]{32}_hello\.txt$/);
  assert.equal(file.url(), `${held.server.url}/files/app/${file.name()}`);
  assert.equal(await read(file), 'hello');
  await assert.rejects(file.destroy({ useMasterKey: false }));
  assert.equal(await read(file), 'hello');
  await file.destroy(asMaster);
  assert.equal((await fetch(file.url())).status, 404);
});

test('base64, metadata and tags', async () => {
  const file = new Parse.File('b.bin', { base64: Buffer.from('more').toString('base64') }, 'application/octet-stream');
  file.setMetadata({ author: 'me' });
  file.setTags({ kind: 'test' });
  await file.save(asMaster);
  assert.equal(await read(file), 'more');
  const answer = await fetch(file.url().replace('/files/app/', '/files/app/metadata/'));
  assert.deepEqual(await answer.json(), { metadata: { author: 'me' } });
});

test('a file in an object', async () => {
  const user = await signUp();
  const file = new Parse.File('o.txt', bytes('in an object'), 'text/plain');
  const note = await new Parse.Object('Note').save({ file }, as(user));
  const found = await new Parse.Query('Note').equalTo('file', file).get(note.id);
  assert.deepEqual([found.get('file').name(), found.get('file').url()], [file.name(), file.url()]);
  assert.equal(await read(found.get('file')), 'in an object');
});

test('a large file in every form that the SDK takes', async () => {
  const large = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
  const base64 = large.toString('base64');
  for (const data of [{ base64 }, [...large], { base64: `data:application/octet-stream;base64,${base64}` }]) {
    const file = await new Parse.File('large.bin', data, 'application/octet-stream').save();
    assert.ok(Buffer.from(await (await fetch(file.url())).arrayBuffer()).equals(large));
  }
});

test('a file that is saved with its object, and files in lists', async () => {
  const file = await new Parse.File('first.txt', bytes('first')).save();
  const note = await new Parse.Object('Note').save({ list: [file], file: new Parse.File('second.txt', bytes('second')) });
  const found = await new Parse.Query('Note').get(note.id);
  assert.deepEqual([await read(found.get('list')[0]), await read(found.get('file'))], ['first', 'second']);
  found.unset('file');
  await found.save();
  assert.equal((await new Parse.Query('Note').get(note.id)).get('file'), undefined);
});

test('metadata and tags in any letters, and a directory', async () => {
  const described = () => {
    const file = new Parse.File('described.txt', bytes('x'), 'text/plain', { author: 'Zoë', 作者: 7 }, { kind: 'Bücher' });
    file.setDirectory('made/here');
    return file;
  };
  await rejects(described().save(), 119, 'Directory can only be set using the Master Key.');
  const file = await described().save(asMaster);
  assert.match(file.name(), /^made\/here\/[0-9a-f]{32}_described\.txt$/);
  assert.equal(await read(file), 'x');
  const answer = await fetch(file.url().replace('/files/app/', '/files/app/metadata/'));
  assert.deepEqual(await answer.json(), { metadata: { author: 'Zoë', 作者: 7 } });
});

test('what may not be uploaded', async () => {
  await rejects(new Parse.File('page.html', bytes('<p>'), 'text/html').save(), 130, 'File upload of extension html is disabled.');
  await rejects(new Parse.File('a+b.txt', bytes('x'), 'text/plain').save(), 122);
});
