// The steps of the Users chapter in the playground, in a real browser: sign up, paste the token into the headers pane, query the viewer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, startBrowser } from '../lib/browser.mjs';
import { sleep, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { options } from './support.mjs';

let browser;
let server;
before(async () => {
  server = await startServer({ ...options, mountPlayground: true });
  browser = await startBrowser({ viewport: { width: 1200, height: 700 } });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Replaces what an editor holds, as by pasting. GraphiQL looks at it a moment later. */
async function fill(page, editor, text) {
  await page.click(`${editor} .CodeMirror-lines`);
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
  await sleep(500);
}

/** Runs what the query editor holds; gives the answer shown. */
async function run(page) {
  const [response] = await Promise.all([
    page.waitForResponse(one => one.request().method() === 'POST' && !one.request().postData().includes('IntrospectionQuery')),
    page.click('.graphiql-execute-button'),
  ]);
  const answer = await response.json();
  const shown = JSON.stringify(answer.data ?? answer.errors).slice(0, 20).replace(/[^a-zA-Z]/g, '');
  await until(async () => (await page.textContent('.result-window')).replace(/[^a-zA-Z]/g, '').includes(shown), { what: 'the answer on the page' });
  return answer;
}

test('sign up, paste the token, ask who I am', async () => {
  const page = await browser.newPage();
  const trouble = [];
  const elsewhere = [];
  page.on('pageerror', error => trouble.push(error.message));
  page.on('request', request => /^https?:/.test(request.url()) && !request.url().startsWith(server.root) && elsewhere.push(request.url()));
  await page.goto(`${server.root}/playground`);
  await page.waitForSelector('.graphiql-query-editor .CodeMirror');

  await fill(page, '.graphiql-query-editor', `mutation {
  signUp(input: { fields: { username: "userX", password: "secret" } }) {
    viewer { user { username createdAt } sessionToken }
  }
}`);
  const made = await run(page);
  assert.ok(made.data?.signUp, JSON.stringify(made));
  const { viewer } = made.data.signUp;
  assert.equal(viewer.user.username, 'userX');

  const me = 'query { viewer { user { username email } sessionToken } }';
  await fill(page, '.graphiql-query-editor', me);
  assert.equal((await run(page)).errors[0].extensions.code, 209, 'without the token nobody is there');

  const given = JSON.parse(await page.evaluate(() => document.querySelector('.graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror').CodeMirror.getValue()));
  assert.deepEqual(Object.keys(given), ['X-Parse-Application-Id'], 'the application id is filled in, and nothing else');
  await fill(page, '.graphiql-editor-tool .graphiql-editor:not(.hidden)', JSON.stringify({ ...given, 'X-Parse-Session-Token': viewer.sessionToken }, null, 2));
  const answer = await run(page);
  assert.deepEqual(answer.data.viewer, { user: { username: 'userX', email: null }, sessionToken: viewer.sessionToken });
  await picture(page, 'playground');
  assert.deepEqual(trouble, []);
  assert.deepEqual(elsewhere, [], 'everything comes from this server');
  await page.close();
});
