// Files of npm parse-server and of the server under test on one database: each reads what the other wrote, plain and encrypted.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const LENGTHS = [1, 261_120, 600_000, 3_000_000];
const bytesOf = length => Buffer.from(Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 255));
const sum = bytes => createHash('sha256').update(bytes).digest('hex');

for (const [title, options] of Object.entries({
  plain: {},
  encrypted: { fileKey: 'file secret' },
  'by the fs adapter': { filesAdapter: { module: '@parse/fs-files-adapter', options: { encryptionKey: 'folder secret' } } },
})) {
  describe(title, () => {
    const servers = [];
    before(async () => {
      const database = freshDatabase('mongo');
      // Both work in one folder: that is where the fs adapter keeps files.
      const cwd = tempDir();
      for (const which of ['reference', 'reparse']) {
        servers.push(await startServer({ allowClientClassCreation: true, preserveFileName: true, fileUpload: { enableForPublic: true }, ...options }, { which, database, cwd }));
      }
    });
    after(() => Promise.all(servers.map(server => server.stop())));

    test('each serves what the other stored', async () => {
      for (const [writer, reader] of [servers, [...servers].reverse()]) {
        for (const length of LENGTHS) {
          const bytes = bytesOf(length);
          const name = `${writer === servers[0] ? 'npm' : 'ours'} ${length}.bin`;
          const sent = await writer.request('POST', `/files/${encodeURIComponent(name)}`, { data: bytes, headers: { 'Content-Type': 'application/octet-stream' } });
          assert.equal(sent.status, 201, sent.text);
          const answer = await fetch(sent.body.url.replace(writer.root, reader.root));
          assert.equal(answer.status, 200, name);
          assert.equal(sum(Buffer.from(await answer.arrayBuffer())), sum(bytes), name);
          const part = await fetch(sent.body.url.replace(writer.root, reader.root));
          assert.equal(part.headers.get('content-length'), String(length));
          const object = await writer.request('POST', '/classes/Doc', { json: { file: { __type: 'File', name } } });
          const read = await reader.request('GET', `/classes/Doc/${object.body.objectId}`);
          assert.equal(read.body.file.url, sent.body.url.replace(writer.root, reader.root));
        }
      }
    });

    test('each deletes what the other stored', async () => {
      for (const [writer, reader] of [servers, [...servers].reverse()]) {
        const sent = await writer.request('POST', '/files/gone.bin', { data: bytesOf(300_000) });
        assert.equal(sent.status, 201, sent.text);
        const gone = await reader.request('DELETE', '/files/gone.bin', { master: true });
        assert.equal(gone.status, 200, gone.text);
        assert.equal((await fetch(sent.body.url)).status, 404);
      }
    });
  });
}
