// The app's own adapters: mail, and a provider of identities.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import Parse from 'parse/node';
import { App, ended, refused, run, use } from './support.mjs';

let app;

before(async () => {
  app = await App.startWithAdapters();
  use(app);
});
after(() => app?.stop());

test('an adapter of the app sends its mail', async () => {
  const ann = (await run('signUpOrg', { name: 'Acme', username: 'ann', password: 'secret' })).sessionToken;
  const zoe = await run('saveContact', { name: 'Zoe', email: 'zoe@example.com' }, ann);
  const document = await run('createDocument', { title: 'Mail', signers: [zoe.id] }, ann);
  await run('sendDocument', { id: document.id }, ann);
  assert.deepEqual(app.mail(), [{ from: 'app@example.com', to: 'zoe@example.com', subject: 'Please sign: Mail', text: `Number ${document.number}` }]);
  assert.equal(await run('forwardDocument', { id: document.id, to: ['a@example.com', 'b@example.com'] }, ann), 2);
  assert.deepEqual(app.mail().map(mail => mail.to), ['a@example.com', 'b@example.com']);
  const job = await ended(await Parse.Cloud.startJob('remind', {}));
  assert.equal(job.get('message'), 'reminded 1');
});

test('an adapter of the app knows who has a badge', async () => {
  const badge = code => ({ authData: { id: 'b1', code } });
  const code = createHash('sha256').update('b1:s3cret').digest('hex').slice(0, 12);
  await refused(Parse.User.logInWith('badge', badge('wrong')), 101, 'The badge is not valid.');
  const user = await Parse.User.logInWith('badge', badge(code));
  assert.equal(user.get('plan'), 'free');
  const again = await Parse.User.logInWith('badge', badge(code));
  assert.equal(again.id, user.id);
});
