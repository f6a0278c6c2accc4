// A real browser: no script of a file runs, whatever its name, type and content; Parse.File uploads from a form and reads back.
// REPARSE_TEST_TRIPLES is the number of (name, type, content) triples that are opened, at most all 5,000.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startBrowser } from '../lib/browser.mjs';
import { compatDir } from '../lib/env.mjs';
import { send } from '../lib/http.mjs';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';

const TRIPLES = Math.min(Number(process.env.REPARSE_TEST_TRIPLES ?? 200), 5000);
const TABS = 6;

// Whatever runs calls `ran`, which the browser's context has, or shows a dialog.
const CODE = "try { ran('RAN') } catch (e) {} alert('RAN')";
const HTML = `<!DOCTYPE html><html><body onload="${CODE.replaceAll('"', '&quot;')}"><script>${CODE}</script><img src=x onerror="${CODE}"></body></html>`;
const SVG = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="${CODE}"><script>${CODE}</script></svg>`;
const XHTML = `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${CODE}</script></body></html>`;
const PDF = `%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction 2 0 R/Pages 3 0 R>>endobj\n2 0 obj<</S/JavaScript/JS(app.alert\\('RAN'\\))>>endobj\n3 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF`;
const CONTENTS = [
  HTML,
  SVG,
  XHTML,
  CODE,
  `\ufeff${HTML}`,
  ` \n\t<!-- -->${HTML}`,
  `GIF89a=1;${CODE}//${HTML}`,
  `\x89PNG\r\n\x1a\n${HTML}`,
  PDF,
  `MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n${HTML}\r\n--b--`,
];
const ENDINGS = [
  '', '.txt', '.html', '.htm', '.xhtml', '.svg', '.xml', '.xsl', '.js', '.mjs', '.css', '.json', '.pdf', '.png', '.jpg', '.gif', '.webp', '.mp4', '.wasm',
  '.mht', '.swf', '.unknown', '.html.txt', '.txt.html', '.svgz',
];
const TYPES = [
  undefined, 'text/plain', 'text/html', 'text/html; charset=utf-7', 'TEXT/HTML', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'application/xml', 'text/xsl',
  'application/javascript', 'text/javascript', 'image/png', 'image/x-unknown', 'application/pdf', 'application/octet-stream', 'multipart/related', 'multipart/x-mixed-replace',
  'x/y', 'rubbish',
];

let server;
let browser;
let ran = [];
before(async () => {
  server = await startServer({ allowClientClassCreation: true, preserveFileName: true, fileUpload: { enableForPublic: true, fileExtensions: ['*'] } });
  browser = await startBrowser({ acceptDownloads: false });
  await browser.exposeBinding('ran', (_, what) => void ran.push(what));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A tab that notes dialogs. */
async function tab() {
  const page = await browser.newPage();
  page.on('dialog', async dialog => {
    ran.push(`dialog ${dialog.message()}`);
    await dialog.dismiss().catch(() => {});
  });
  return page;
}

/** Opens an address, which may turn out to be a download. */
async function open(page, url) {
  try {
    await page.goto(url, { timeout: 15_000 });
  } catch (error) {
    assert.match(error.message, /Download is starting|ERR_ABORTED|ERR_INVALID_RESPONSE/, url);
  }
}

function* triples() {
  const all = ENDINGS.length * TYPES.length * CONTENTS.length;
  // Spread over all combinations when only some are asked for; 2,503 shares no factor with 5,000.
  for (let at = 0; at < TRIPLES; at += 1) {
    let index = (at * 2503) % all;
    const take = list => {
      const value = list[index % list.length];
      index = Math.floor(index / list.length);
      return value;
    };
    yield { content: take(CONTENTS), ending: take(ENDINGS), type: take(TYPES), name: `f${at}` };
  }
}

test('the test notices scripts that run', async () => {
  const seen = [];
  for (const [type, content] of [['text/html', HTML], ['image/svg+xml', SVG], ['application/xhtml+xml', XHTML]]) {
    const plain = http.createServer((_, answer) => answer.writeHead(200, { 'Content-Type': type }).end(content)).listen(0, '127.0.0.1');
    const page = await tab();
    ran = [];
    await open(page, `http://127.0.0.1:${plain.address().port}/`);
    seen.push([type, ran.length > 0]);
    await page.close();
    plain.close();
  }
  assert.deepEqual(seen, [['text/html', true], ['image/svg+xml', true], ['application/xhtml+xml', true]]);
});

test(`no script of ${TRIPLES} files runs`, { timeout: 120_000 + TRIPLES * 1500 }, async t => {
  ran = [];
  const work = triples();
  const bad = [];
  let opened = 0;
  const one = async () => {
    const page = await tab();
    for (const { name, ending, type, content } of work) {
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const sent = await server.request('POST', `/files/${name}${ending}`, { master: true, headers, data: Buffer.from(content, 'utf8') });
      assert.equal(sent.status, 201, sent.text);
      const before = ran.length;
      await open(page, sent.body.url);
      // Every tenth is also shown inside of a page, in all ways there are.
      if (opened % 10 === 0) {
        const url = sent.body.url;
        await page.setContent(`<iframe src="${url}"></iframe><object data="${url}"></object><embed src="${url}"><img src="${url}">`, { waitUntil: 'load', timeout: 15_000 }).catch(() => {});
      }
      if (ran.length > before) bad.push(`${name}${ending} as ${type}: ${JSON.stringify(content.slice(0, 40))}`);
      opened += 1;
    }
    await page.close();
  };
  await Promise.all(Array.from({ length: TABS }, one));
  assert.deepEqual(bad, []);
  assert.deepEqual(ran, []);
  assert.equal(opened, TRIPLES);
  t.diagnostic(`${opened} files were opened`);
});

test('Parse.File of the SDK: form, progress, download', async () => {
  const script = fs.readFileSync(path.join(compatDir, 'node_modules/parse/dist/parse.min.js'));
  const html = '<!DOCTYPE html><input type=file id=file><script src=/parse.js></script>';
  const site = http.createServer((request, answer) => {
    const isScript = request.url === '/parse.js';
    answer.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? script : html);
  });
  site.listen(0, '127.0.0.1');
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    const bytes = Buffer.alloc(2_000_000, 'browser ');
    const chosen = path.join(tempDir(), 'chosen file.bin');
    fs.writeFileSync(chosen, bytes);
    await page.setInputFiles('#file', chosen);
    const told = await page.evaluate(async url => {
      const { Parse } = window;
      Parse.initialize('app');
      Parse.serverURL = url;
      const progress = [];
      const given = document.querySelector('#file').files[0];
      const file = new Parse.File('chosen file.bin', given);
      await file.save({ progress: (value, loaded, total, about) => progress.push({ value, loaded, total, type: about?.type }) });
      const note = await new Parse.Object('Note').save({ file });
      const read = await new Parse.Query('Note').get(note.id);
      const answer = await fetch(read.get('file').url());
      const text = await answer.text();
      const part = await (await fetch(file.url(), { headers: { Range: 'bytes=0-7' } })).text();
      const small = await new Parse.File('small.txt', { base64: btoa('small') }).save();
      const data = await small.getData();
      const refused = await new Parse.File('bad/name', { base64: btoa('x') }).save().then(() => 'saved', error => error.code);
      return { progress, url: file.url(), length: text.length, same: text === await given.text(), part, data: atob(data), refused };
    }, server.url);
    assert.equal(told.length, bytes.length);
    assert.ok(told.same);
    assert.equal(told.part, 'browser ');
    assert.equal(told.data, 'small');
    assert.ok([122, 108, 101, 107].includes(told.refused), String(told.refused));
    const up = told.progress.filter(({ type }) => type !== 'download');
    assert.ok(up.length > 0 && up.at(-1).value === 1, JSON.stringify(told.progress));
    const got = await send(told.url);
    assert.equal(got.headers['content-length'], String(bytes.length));
    await page.close();
  } finally {
    site.close();
  }
});
