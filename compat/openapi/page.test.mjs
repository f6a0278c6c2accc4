// The documentation page in a real browser: it loads everything from this server, shows the app's classes to callers with the
// master key, and sends requests.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import yaml from 'js-yaml';
import { picture, startBrowser } from '../lib/browser.mjs';
import { startServer } from '../lib/server.mjs';

const schema = { className: 'GameScore', fields: { score: { type: 'Number' } } };

describe('documentation page', () => {
  test('a call is tried, nothing is fetched from elsewhere', async () => {
    const server = await startServer();
    const made = await server.request('POST', '/schemas', { master: true, json: schema });
    assert.equal(made.status, 200, made.text);
    const browser = await startBrowser({ viewport: { width: 1100, height: 900 } });
    const page = await browser.newPage();
    const asked = [];
    const complaints = [];
    page.on('request', request => asked.push(request.url()));
    page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', error => complaints.push(error.message));

    await page.goto(`${server.url}/docs`);
    await page.locator('#operations-tag-Users').click();
    await page.locator('#operations-Users-signUp').waitFor();
    assert.equal(await page.locator('#operations-GameScore-createGameScore').count(), 0);
    assert.equal(await page.locator('#operations-tag-GameScore').count(), 0);

    // the application id is filled in, so that a sign up works at once
    await page.locator('#operations-Users-signUp .opblock-summary').click();
    await page.locator('#operations-Users-signUp .try-out__btn').click();
    await page.locator('#operations-Users-signUp textarea.body-param__text').fill('{"username":"ann","password":"correct horse"}');
    await page.locator('#operations-Users-signUp .execute').click();
    const status = page.locator('#operations-Users-signUp .live-responses-table .response-col_status').nth(1);
    await status.waitFor();
    assert.match(await status.innerText(), /^201/);
    const shown = await page.locator('#operations-Users-signUp .live-responses-table .microlight').first().innerText();
    const { sessionToken } = JSON.parse(shown);
    assert.match(sessionToken, /^r:[0-9a-f]{32}$/);
    const row = await server.request('GET', '/users', { master: true, query: { where: { username: 'ann' }, count: 1 } });
    assert.equal(row.body.count, 1, row.text);
    await page.locator('#operations-Users-signUp .responses-wrapper').evaluate(element => element.scrollIntoView());
    await picture(page, 'openapi-call');

    // a session token given under "Authorize" goes along
    await page.locator('.auth-wrapper .authorize').first().click();
    const field = page.locator('.auth-container', { hasText: 'X-Parse-Session-Token' });
    await field.locator('input').fill(sessionToken);
    await field.locator('button[type=submit]').click();
    await page.locator('.btn-done').first().click();
    await page.locator('#operations-Users-getCurrentUser .opblock-summary').click();
    await page.locator('#operations-Users-getCurrentUser .try-out__btn').click();
    await page.locator('#operations-Users-getCurrentUser .execute').click();
    const me = page.locator('#operations-Users-getCurrentUser .live-responses-table');
    await me.waitFor();
    assert.match(await me.innerText(), /"username": "ann"/);

    // a wrong key shows no more than no key, the right one the classes
    await page.locator('#master-key').fill('nope');
    await page.locator('#own-classes button').click();
    await page.locator('#outcome', { hasText: 'not accepted' }).waitFor();
    await page.locator('#master-key').fill('master');
    await page.locator('#own-classes button').click();
    await page.locator('#operations-tag-GameScore').click();
    await page.locator('#operations-GameScore-createGameScore').waitFor();
    await page.locator('#operations-tag-Users').click();
    await page.evaluate(() => scrollTo(0, 0));
    await picture(page, 'openapi-docs');

    const elsewhere = asked.filter(url => !url.startsWith(`${server.root}/`) && !url.startsWith('data:'));
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(complaints, []);
    await browser.close();
    await server.stop();
  });

  test('YAML says what JSON says', async () => {
    const server = await startServer();
    await server.request('POST', '/schemas', { master: true, json: schema });
    for (const master of [false, true]) {
      const json = await server.request('GET', '/openapi.json', { master });
      const text = await server.request('GET', '/openapi.yaml', { master });
      assert.deepEqual(yaml.load(text.text), json.body);
      assert.equal('/classes/GameScore' in json.body.paths, master);
    }
    await server.stop();
  });
});
