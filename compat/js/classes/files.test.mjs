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

test('what may not be uploaded', async () => {
  await rejects(new Parse.File('page.html', bytes('<p>'), 'text/html').save(), 130, 'File upload of extension html is disabled.');
  await rejects(new Parse.File('a+b.txt', bytes('x'), 'text/plain').save(), 122);
});
