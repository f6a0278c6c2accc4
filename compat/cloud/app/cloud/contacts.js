// Contacts: who may be asked to sign.
const { master, asCaller, caller, orgOf, aclOf } = require('./common');

Parse.Cloud.beforeSave('Contact', async request => {
  const contact = request.object;
  const email = contact.get('email');
  if (contact.dirty('email')) contact.set('email', email.trim().toLowerCase());
  const others = new Parse.Query('Contact').equalTo('email', contact.get('email')).equalTo('org', contact.get('org'));
  if (contact.id) others.notEqualTo('objectId', contact.id);
  if (await others.first(master)) throw new Parse.Error(Parse.Error.DUPLICATE_VALUE, 'Contact already exists.');
}, { fields: { name: { required: true }, email: { required: true, options: mail => /^\s*\S+@\S+\s*$/.test(mail), error: 'This is no mail address.' } } });

Parse.Cloud.afterSave('Contact', async request => {
  if (request.original) return;
  const org = request.object.get('org');
  org.increment('contacts');
  await org.save(null, master);
});

Parse.Cloud.afterDelete('Contact', async request => {
  const org = request.object.get('org');
  org.increment('contacts', -1);
  await org.save(null, master);
});

async function contactOf(request, id) {
  return new Parse.Query('Contact').get(id, asCaller(request));
}

async function newContact(request, { name, email, phone }) {
  const org = await orgOf(caller(request));
  const contact = new Parse.Object('Contact', { name, email, org, owner: caller(request) });
  if (phone) contact.set('phone', phone);
  contact.setACL(aclOf(org));
  return contact;
}

Parse.Cloud.define('saveContact', async request => {
  const contact = await newContact(request, request.params);
  await contact.save(null, asCaller(request));
  return contact;
}, { requireUser: true });

Parse.Cloud.define('editContact', async request => {
  const contact = await contactOf(request, request.params.id);
  for (const field of ['name', 'email', 'phone']) if (request.params[field]) contact.set(field, request.params[field]);
  await contact.save(null, asCaller(request));
  return { id: contact.id, name: contact.get('name'), email: contact.get('email') };
}, { requireUser: true, fields: ['id'] });

Parse.Cloud.define('removeContact', async request => {
  const contact = await contactOf(request, request.params.id);
  await contact.destroy(asCaller(request));
  return true;
}, { requireUser: true, fields: ['id'] });

Parse.Cloud.define('getContacts', async request => {
  const contacts = new Parse.Query('Contact').ascending('name');
  if (request.params.search) contacts.startsWith('name', request.params.search);
  const found = await contacts.find(asCaller(request));
  return found.map(contact => `${contact.get('name')} <${contact.get('email')}>`);
}, { requireUser: true });

Parse.Cloud.define('batchContacts', async request => {
  const contacts = await Promise.all(request.params.contacts.map(each => newContact(request, each)));
  let failed = 0;
  for (const contact of contacts) await contact.save(null, asCaller(request)).catch(() => (failed += 1));
  return { success: contacts.length - failed, failed };
}, { requireUser: true, fields: { contacts: { type: Array, required: true } } });

module.exports = { contactOf };
