// What the pages of the dashboard do, in a real browser: each dialog is filled in and sent, and what it did is read over REST.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { picture, startBrowser } from '../lib/browser.mjs';
import { until } from '../lib/net.mjs';
import { tempDir } from '../lib/temp.mjs';
import { startWithDashboard } from './support.mjs';

const LIMIT = 20_000;
let browser;
let server;
let page;
let user;
const trouble = [];

before(async () => {
  const dir = tempDir();
  fs.writeFileSync(path.join(dir, 'main.js'), `
    Parse.Cloud.define('hello', () => 'hi');
    Parse.Cloud.job('clean', () => 'all is clean');
  `);
  server = await startWithDashboard(
    { users: [{ user: 'ann', pass: 'secret' }] },
    { cloud: path.join(dir, 'main.js'), fileUpload: { enableForPublic: true }, security: { enableCheck: true } },
  );
  const fields = {
    text: { type: 'String' }, number: { type: 'Number' }, flag: { type: 'Boolean' }, day: { type: 'Date' }, list: { type: 'Array' }, tree: { type: 'Object' },
    place: { type: 'GeoPoint' }, area: { type: 'Polygon' }, picture: { type: 'File' }, owner: { type: 'Pointer', targetClass: '_User' }, friends: { type: 'Relation', targetClass: '_User' },
  };
  await rest('POST', '/schemas/Thing', { className: 'Thing', fields });
  user = await rest('POST', '/users', { username: 'walker', password: 'secret' });
  // A session that no dialog ends: a change of a password may end one that is opened while it is under way.
  assert.equal((await server.request('GET', '/login', { query: { username: 'walker', password: 'secret' } })).status, 200);
  await rest('POST', '/classes/Thing', { text: 'hello', owner: { __type: 'Pointer', className: '_User', objectId: user.objectId } });

  browser = await startBrowser({ viewport: { width: 2600, height: 900 }, acceptDownloads: true });
  page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  page.on('response', response => {
    if (response.status() >= 400 && !response.url().endsWith('/releases/latest')) trouble.push(`${response.status()} ${response.request().method()} ${response.url()}`);
  });
  await page.goto(`${server.root}/dashboard/apps/Test/browser/Thing`);
  await page.fill('input[name=username]', 'ann');
  await page.fill('input[name=password]', 'secret');
  await Promise.all([page.waitForURL(/browser\/Thing/), page.keyboard.press('Enter')]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The body of an answer to a request with the master key. */
async function rest(method, where, json) {
  const answer = await server.request(method, where, { master: true, json });
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.text}`);
  return answer.body;
}
const all = async (name, query = {}) => (await rest('GET', `/classes/${name}?${new URLSearchParams(query)}`)).results;
const thing = async () => (await all('Thing', { order: 'createdAt' }))[0];

async function open(where) {
  await page.goto(`${server.root}/dashboard/apps/Test/${where}`);
  await page.waitForLoadState('networkidle');
}
const shown = text => page.getByText(text, { exact: true }).last();
const click = text => shown(text).click();
const inDialog = text => page.locator('[data-modal]').getByText(text, { exact: true }).last();
/** What a dialog has beside a label: an input, or a list to choose from. */
const beside = (label, what) => inDialog(label).locator(`xpath=ancestor::*[.//${what}][1]//${what}`).first();
const field = (label, tag = 'input') => beside(label, tag);
async function choose(label, option) {
  await beside(label, '*[@role="combobox"]').click();
  await click(option);
}
/** Opens one of the menus above the table, and takes an item. */
async function menu(name, item) {
  await click(name);
  await page.locator('body > div').getByText(item, { exact: true }).last().click();
}
const columns = () => page.$$eval('[draggable=true]', headers => headers.map(header => header.firstChild.textContent));
async function cell(row, column) {
  const at = (await columns()).indexOf(column);
  assert.ok(at >= 0, `no column ${column}`);
  return page.locator('#browser_mount div:has(> span > input[type=checkbox])').nth(row).locator(':scope > span').nth(at + 1);
}
/** Types into a cell: texts, and keys as `<Enter`. */
async function edit(row, column, ...keys) {
  await (await cell(row, column)).dblclick({ position: { x: 20, y: 10 } });
  const typing = wanted => page.waitForFunction(state => /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName) === state, wanted);
  await typing(true);
  for (const key of keys) {
    if (key.startsWith('<')) await page.keyboard.press(key.slice(1));
    else await page.keyboard.insertText(key);
  }
  await typing(false);
}
const waits = (what, check) => until(check, { limit: LIMIT, what });

async function shows(text) {
  await page.waitForFunction(wanted => document.body.textContent.includes(wanted), text);
}

/** A test that fails if the server refused something, or the page shows an error. */
function dialog(name, work) {
  test(name, async () => {
    trouble.length = 0;
    try {
      await work();
    } catch (error) {
      await picture(page, `failed-${name.replace(/\W/g, '-')}`);
      throw new Error(`${error.message}\n${page.url()}: ${trouble.join('\n')}`, { cause: error });
    }
    await page.waitForLoadState('networkidle');
    assert.deepEqual(trouble, []);
  });
}

dialog('a cell of each type', async () => {
  await open('browser/Thing');
  const clear = '<Control+a';
  const changes = [
    ['text', [clear, 'edited', '<Enter'], object => object.text === 'edited'],
    ['number', [clear, '42.5', '<Enter'], object => object.number === 42.5],
    ['place', [clear, '12', '<Tab', clear, '34', '<Enter'], object => object.place?.latitude === 12 && object.place.longitude === 34],
    ['list', [clear, '[1,{"b":2}]', '<Control+Enter'], object => JSON.stringify(object.list) === '[1,{"b":2}]'],
    ['tree', [clear, '{"x":{"y":1}}', '<Control+Enter'], object => object.tree?.x.y === 1],
    ['area', [clear, '[[0,0],[0,2],[2,2]]', '<Control+Enter'], object => object.area?.coordinates.length === 4],
    ['day', [clear, '2026-02-03T04:05:06.000Z', '<Enter'], object => object.day?.iso === '2026-02-03T04:05:06.000Z'],
  ];
  for (const [column, keys, check] of changes) {
    await edit(0, column, ...keys);
    await waits(`${column} to be written`, async () => check(await thing()));
  }
});

dialog('flags, pointers, files and access', async () => {
  await open('browser/Thing');
  await (await cell(0, 'flag')).dblclick();
  await click('True');
  await page.keyboard.press('Enter');
  await waits('flag to be written', async () => (await thing()).flag === true);
  const other = await rest('POST', '/users', { username: 'other', password: 'secret' });
  await edit(0, 'owner', '<Control+a', other.objectId, '<Enter');
  await waits('owner to be written', async () => (await thing()).owner.objectId === other.objectId);
  await (await cell(0, 'picture')).dblclick();
  await page.locator('#fileInput').first().setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('file') });
  await waits('the file to be stored', async () => (await thing()).picture?.url);
  assert.equal(await (await fetch((await thing()).picture.url)).text(), 'file');
  await page.keyboard.press('Escape');
  await (await cell(0, 'ACL')).dblclick();
  await page.locator('[data-modal] input[role=combobox]').pressSequentially('walker');
  await page.keyboard.press('Enter');
  await page.locator('[data-modal]').getByText(user.objectId).first().waitFor();
  await inDialog('Save ACL').click();
  await waits('the ACL to be written', async () => user.objectId in ((await thing()).ACL ?? {}));
});

dialog('relations', async () => {
  const members = async () => {
    const object = { __type: 'Pointer', className: 'Thing', objectId: (await thing()).objectId };
    return all('_User', { where: JSON.stringify({ $relatedTo: { object, key: 'friends' } }) });
  };
  await open('browser/Thing');
  await (await cell(0, 'friends')).locator('svg').last().click();
  await page.waitForURL(/friends/);
  await menu('Edit', 'Attach existing row');
  await page.locator('[data-modal] textarea, [data-modal] input').first().fill(user.objectId);
  await inDialog('Attach').click();
  await waits('the row to be attached', async () => (await members()).some(({ objectId }) => objectId === user.objectId));
  await shows('walker');
  await picture(page, 'dashboard-relation');
  await page.locator('#browser_mount div > span > input[type=checkbox]').first().click();
  await menu('Edit', 'Detach this row');
  await inDialog('Delete').click();
  await waits('the row to be detached', async () => (await members()).length === 0);
});

dialog('rows, columns and classes', async () => {
  await open('browser/Thing');
  await menu('Edit', 'Add a row');
  await edit(0, 'text', 'second', '<Enter');
  await click('Add');
  await waits('the row', async () => (await all('Thing')).length === 2);
  await open('browser/Thing');
  await menu('Edit', 'Add a column');
  await field('What should we call it?').fill('extra');
  await inDialog('Add').click();
  await waits('the column', async () => (await rest('GET', '/schemas/Thing')).fields.extra);
  await open('browser/Thing');
  await menu('Edit', 'Delete a column');
  await choose('Which column?', 'extra');
  await inDialog('Remove').click();
  await waits('the column to be gone', async () => !(await rest('GET', '/schemas/Thing')).fields.extra);
  await open('browser/Thing');
  await menu('Edit', 'Add a class');
  await field('What should we call it?').fill('Made');
  await inDialog('Create').click();
  await waits('the class', async () => (await rest('GET', '/schemas')).results.some(({ className }) => className === 'Made'));
  await page.locator('input[type=checkbox]').first().waitFor();
});

dialog('class level permissions and protected fields', async () => {
  await open('browser/Thing');
  await menu('Security', 'Class Level Permissions');
  await picture(page, 'dashboard-permissions');
  // Public reading is off from here on.
  await page.locator('[data-modal] div:has(> div:text-is("Public"))').getByText('Read', { exact: true }).click();
  await inDialog('Save CLP').click();
  await waits('the permissions', async () => !(await rest('GET', '/schemas/Thing')).classLevelPermissions.find?.['*']);
  await open('browser/Thing');
  await menu('Security', 'Protected Fields');
  await page.locator('[data-modal]').getByText('All fields allowed. Click to protect.').click();
  await page.locator('body > div').last().getByText('number').first().click();
  await inDialog('Edit Protected Fields').click();
  await inDialog('Save').click();
  await waits('the protected fields', async () => (await rest('GET', '/schemas/Thing')).classLevelPermissions.protectedFields?.['*']?.includes('number'));
});

dialog('users, roles and sessions', async () => {
  await open('browser/_User');
  await menu('Edit', 'Add a row');
  await edit(0, 'username', 'made', '<Enter');
  await edit(0, 'password', '<Control+a', 'first secret', '<Enter');
  await click('Add');
  const logIn = password => server.request('GET', '/login', { query: { username: 'made', password } });
  await waits('the user', async () => (await logIn('first secret')).status === 200);
  await open('browser/_User');
  const row = (await page.locator('#browser_mount div:has(> span > input[type=checkbox])').allTextContents()).findIndex(text => text.includes('made'));
  await edit(row, 'password', '<Control+a', 'second secret', '<Enter');
  await waits('the password', async () => (await logIn('second secret')).status === 200);
  await open('browser/_Role');
  await menu('Edit', 'Add a row');
  await edit(0, 'name', 'Keepers', '<Enter');
  await (await cell(0, 'ACL')).dblclick();
  await inDialog('Save ACL').click();
  await click('Add');
  await waits('the role', async () => (await rest('GET', '/roles')).results.some(({ name }) => name === 'Keepers'));
  await open('browser/_Session');
  await shows('password');
  await open('browser/Made');
  await menu('Browse', 'As User');
  await page.locator('[data-modal] input').first().fill('made');
  await page.locator('[data-modal] input[type=password]').fill('second secret');
  await inDialog('Browse').click();
  await shows('Browsing');
});

dialog('config', async () => {
  await open('config');
  await click('Create a parameter');
  await field('Parameter Name').fill('greeting');
  await field('Value', 'textarea').fill('hello');
  await inDialog('Create').click();
  await waits('the parameter', async () => (await rest('GET', '/config')).params.greeting === 'hello');
  await open('config');
  await click('greeting');
  await field('Value', 'textarea').fill('good day');
  await picture(page, 'dashboard-config');
  await inDialog('Save').click();
  await waits('the other value', async () => (await rest('GET', '/config')).params.greeting === 'good day');
});

dialog('jobs and schedules', async () => {
  await open('jobs/all');
  await shows('clean');
  await click('Run...');
  await inDialog('Run').click();
  await waits('the job to end', async () => (await all('_JobStatus')).some(({ status, jobName }) => jobName === 'clean' && status === 'succeeded'));
  await open('jobs/status');
  await shows('all is clean');
  await open('jobs/scheduled');
  await click('Schedule a job');
  await shows('Schedule');
  await page.getByPlaceholder('Pick a good name…').fill('every night');
  await page.locator('[role=combobox]').first().click();
  await click('clean');
  await picture(page, 'dashboard-schedule');
  await click('Schedule');
  await waits('the schedule', async () => (await all('_JobSchedule')).some(({ jobName }) => jobName === 'clean'));
});

dialog('web hooks', async () => {
  const hook = http.createServer((request, response) => request.resume().on('end', () => response.end('{"success":"from the hook"}')));
  await new Promise(resolve => hook.listen(0, '127.0.0.1', resolve));
  await open('webhooks');
  await click('Create a Webhook');
  const inputs = page.locator('[data-modal] input');
  await inputs.nth(0).fill('hooked');
  await inputs.nth(1).fill(`http://127.0.0.1:${hook.address().port}/`);
  await inDialog('Create').click();
  await waits('the web hook', async () => (await server.request('POST', '/functions/hooked', { json: {} })).body?.result === 'from the hook');
  await open('webhooks');
  await shows('hooked');
  hook.close();
});

dialog('the consoles', async () => {
  await open('api_console/rest');
  await page.getByPlaceholder('classes/_User').fill('config');
  await click('Send Query');
  await shows('good day');
  await picture(page, 'dashboard-console-rest');
  await open('api_console/graphql');
  await page.locator('.cm-content, .CodeMirror textarea').first().focus();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText('{ things { count } }');
  await page.keyboard.press('Control+Enter');
  await shows('"count"');
  // The code that the console begins with saves an object of this class.
  await rest('POST', '/schemas/MyClass', {});
  await open('api_console/js_console');
  await click('Run');
  await waits('the object', async () => (await server.request('GET', '/classes/MyClass', { master: true })).body.results?.length === 1);
});

dialog('views', async () => {
  await open('views');
  await click('Create a view');
  await field('Name').fill('Counted');
  await choose('Class', 'Thing');
  await field('Query', 'textarea').fill('[{"$group": {"_id": null, "total": {"$sum": 1}}}]');
  await inDialog('Create').click();
  await click('Counted');
  await shows('total');
  await picture(page, 'dashboard-view');
});

dialog('export and import', async () => {
  await open('browser/Thing');
  await menu('Data', 'Export all rows');
  await choose('Select export type', '.json');
  await field('Confirm this action').fill('export all');
  const [download] = await Promise.all([page.waitForEvent('download'), inDialog('Export').click()]);
  const file = path.join(tempDir(), 'rows.json');
  await download.saveAs(file);
  const exported = JSON.parse(fs.readFileSync(file, 'utf8'));
  const count = (await all('Thing')).length;
  assert.equal(exported.length, count);
  await rest('POST', '/schemas/Copied', {});
  await open('browser/Copied');
  await menu('Data', 'Import');
  // The dashboard writes the name of the class into each row, which no Parse server takes for a field.
  for (const row of exported) delete row.className;
  fs.writeFileSync(file, JSON.stringify(exported));
  await page.locator('[data-modal] input[type=file]').setInputFiles(file);
  await inDialog('Import').click();
  await waits('the rows', async () => (await all('Copied')).length === count);
});
