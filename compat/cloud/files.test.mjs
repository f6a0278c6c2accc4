// Triggers on files: the bytes travel beside the JSON.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { CloudProcess, program } from './support.mjs';

let cloud;
before(async () => {
  const rest = (request, body) => ({ status: 201, body: { name: `#_${request.path.split('/').at(-1)}`, url: `http://x/${request.path}`, got: body.length } });
  cloud = await CloudProcess.start(program('files.js'), { answers: { rest } });
});
after(() => cloud.stop());

const seen = async () => (await cloud.run('seen')).result;
const save = async name => {
  try {
    const payload = { className: '@File', file: { name, contentType: 'text/plain' }, hasData: true, fileSize: 5 };
    const { value, attachment } = await cloud.callRaw('trigger', 'beforeSave', payload, Buffer.from('bytes'));
    return { ...value, bytes: attachment.toString() };
  } catch ({ code, message }) {
    return { code, message };
  }
};

test('beforeSave', async () => {
  await seen();
  const plain = await save('plain.txt');
  assert.deepEqual([plain.file.name, plain.hasData, plain.bytes], ['plain.txt', false, '']);
  const [call] = await seen();
  assert.deepEqual(call, {
    trigger: 'beforeSave', master: false, user: null, installationId: null, name: 'plain.txt', url: null, fileSize: 5, metadata: {}, tags: {},
    keys: ['file', 'fileSize', 'isReadOnly', 'master', 'triggerName'], isFile: true,
  });
  const renamed = await save('rename.txt');
  assert.deepEqual([renamed.file.name, renamed.hasData, renamed.bytes], ['renamed.txt', true, 'other bytes']);
  assert.deepEqual((await save('retype.txt')).file.contentType, 'image/png');
  const meta = await save('meta.txt');
  assert.deepEqual([meta.file.metadata, meta.file.tags, meta.hasData], [{ by: 'trigger' }, { tag: 't' }, false]);
  assert.equal((await save('dir.txt')).file.directory, 'made/here');
  assert.equal((await save('saved.txt')).file.url, 'http://x/files/elsewhere.txt');
  assert.deepEqual((await save('link.txt')).file, { name: 'linked.txt', url: 'http://files.example.com/linked.txt', metadata: {}, tags: {} });
  assert.equal((await save('data.txt')).bytes, 'BYTES');
  assert.deepEqual(await save('text.txt'), { code: 141, message: 'refused by text' });
  assert.deepEqual(await save('code.txt'), { code: 2345, message: 'refused by code' });
});

test('beforeFind and afterFind', async () => {
  const find = (type, name, more) => cloud.trigger(type, { className: '@File', file: { name }, ...more });
  await seen();
  assert.deepEqual(await find('beforeFind', 'a_plain.txt'), {});
  assert.deepEqual((await seen())[0].keys, ['file', 'isReadOnly', 'master', 'triggerName']);
  assert.deepEqual(await find('beforeFind', 'a_hidden.txt'), { code: 141, message: 'hidden' });
  assert.equal((await find('beforeFind', 'alias-b.txt')).file.name, 'b.txt');
  const headers = { 'X-Content-Type-Options': 'nosniff' };
  const after = name => find('afterFind', name, { forceDownload: false, responseHeaders: { ...headers } });
  assert.deepEqual(await after('a_plain.txt'), { forceDownload: false, responseHeaders: headers });
  assert.deepEqual((await after('a_download.txt')).forceDownload, true);
  assert.deepEqual((await after('a_headers.txt')).responseHeaders, { 'X-Own': 'yes', 'Content-Security-Policy': "default-src 'none'" });
  const other = await after('a_other.txt');
  assert.deepEqual([other.file.name, other.hasData], ['other.html', true]);
});

test('a part of a file that afterFind replaced is one of the other', async () => {
  const code = path.join(tempDir(), 'main.js');
  fs.writeFileSync(code, `Parse.Cloud.afterFind(Parse.File, req => {
    req.file = new Parse.File('other.txt', { base64: Buffer.from('in its place').toString('base64') }, 'text/plain');
    return req;
  });`);
  const server = await startServer({ cloud: code, fileUpload: { enableForPublic: true } });
  const { body } = await server.request('POST', '/files/first.txt', { data: 'what it was', headers: { 'Content-Type': 'text/plain' } });
  const read = async range => {
    const answer = await server.request('GET', `/files/app/${body.name}`, { headers: range ? { Range: range } : {} });
    return [answer.status, answer.text];
  };
  assert.deepEqual(await read(), [200, 'in its place']);
  assert.deepEqual(await read('bytes=0-'), [206, 'in its place']);
  assert.deepEqual(await read('bytes=3-5'), [206, 'its']);
  assert.deepEqual(await read('bytes=none'), [200, 'in its place']);
  await server.stop();
});
