// Documents, and what happens to them.
const { master, asCaller, caller, orgOf, aclOf, nextNumber, note } = require('./common');
const { presign, unsigned } = require('./links');
const { contactOf } = require('./contacts');

const OPEN = ['draft', 'sent'];

Parse.Cloud.beforeSave('Document', async request => {
  const document = request.object;
  if (document.isNew()) {
    if (!document.get('title')) throw new Parse.Error(Parse.Error.VALIDATION_ERROR, 'A document needs a title.');
    document.set('number', await nextNumber('document'));
    if (!document.get('status')) document.set('status', 'draft');
    document.set('slug', document.get('title').toLowerCase().replace(/[^a-z0-9]+/g, '-'));
  } else if (document.dirty('number')) {
    document.revert('number');
  }
  if (document.dirty('url')) document.set('url', unsigned(document.get('url')));
  if (request.original?.get('status') === 'signed' && document.dirty('title')) throw 'Signed documents keep their title.';
  request.context.was = request.original?.get('status') ?? null;
});

Parse.Cloud.afterSave('Document', async request => {
  const { object, context } = request;
  await note(request.original ? 'changed' : 'created', object, { from: context.was ?? '-', to: object.get('status') });
});

Parse.Cloud.beforeFind('Document', request => {
  if (request.context.all || request.master) return;
  request.query.notEqualTo('archived', true);
});

Parse.Cloud.afterFind('Document', request => {
  for (const document of request.objects) {
    const url = document.get('url');
    if (url) document.set('url', presign(url));
  }
  return request.objects;
});

Parse.Cloud.beforeDelete('Document', request => {
  if (request.object.get('status') === 'signed') throw new Parse.Error(Parse.Error.OPERATION_FORBIDDEN, 'Signed documents cannot be deleted.');
});

Parse.Cloud.afterDelete('Document', async request => {
  await note('deleted', request.object);
});

async function documentOf(request, id = request.params.id) {
  return new Parse.Query('Document').include('signers').get(id, asCaller(request));
}

Parse.Cloud.define('createDocument', async request => {
  const { title, url, signers = [], expiry } = request.params;
  const org = await orgOf(caller(request));
  const document = new Parse.Object('Document', { title, org, createdBy: caller(request) });
  if (url) document.set('url', url);
  if (expiry) document.set('expiry', expiry);
  document.set('signers', await Promise.all(signers.map(id => contactOf(request, id))));
  document.setACL(aclOf(org));
  await document.save(null, asCaller(request));
  return { id: document.id, number: document.get('number'), status: document.get('status'), slug: document.get('slug') };
}, { requireUser: true });

Parse.Cloud.define('getDocument', request => documentOf(request), { requireUser: true, fields: ['id'] });

Parse.Cloud.define('listDocuments', async request => {
  const { status, limit = 10, skip = 0, all = false } = request.params;
  const documents = new Parse.Query('Document').ascending('number').limit(limit).skip(skip);
  if (status) documents.equalTo('status', status);
  const found = await documents.find({ ...asCaller(request), context: { all } });
  return found.map(document => ({ title: document.get('title'), status: document.get('status'), link: document.get('url') ?? null }));
}, { requireUser: true });

Parse.Cloud.define('sendDocument', async request => {
  const document = await documentOf(request);
  const signers = document.get('signers');
  if (signers.length === 0) throw 'Nobody is asked to sign.';
  await document.save({ status: 'sent', waiting: signers.map(signer => signer.id) }, asCaller(request));
  await Promise.all(signers.map(signer => Parse.Cloud.sendEmail({ to: signer.get('email'), subject: `Please sign: ${document.get('title')}`, text: `Number ${document.get('number')}` })));
  return signers.map(signer => signer.get('email'));
}, { requireUser: true, fields: ['id'] });

Parse.Cloud.define('signDocument', async request => {
  const { id, contact, image } = request.params;
  const document = await new Parse.Query('Document').get(id, master);
  if (!(document.get('waiting') ?? []).includes(contact)) throw new Parse.Error(Parse.Error.OPERATION_FORBIDDEN, 'You are not asked to sign.');
  await new Parse.Object('Signature').save({ document, contact, image: image ?? null }, master);
  document.remove('waiting', contact);
  await document.save(null, master);
  if (document.get('waiting').length === 0) await document.save({ status: 'signed', signedAt: new Date() }, master);
  return { status: document.get('status'), left: document.get('waiting').length };
}, { fields: ['id', 'contact'] });

Parse.Cloud.define('declineDocument', async request => {
  const document = await new Parse.Query('Document').get(request.params.id, master);
  if (!OPEN.includes(document.get('status'))) throw `A document that is ${document.get('status')} cannot be declined.`;
  await document.save({ status: 'declined', reason: request.params.reason }, master);
  return { status: document.get('status'), reason: document.get('reason') };
}, { fields: { id: { required: true }, reason: { default: 'no reason given' } } });

Parse.Cloud.define('duplicateDocument', async request => {
  const document = await documentOf(request);
  const copy = new Parse.Object('Document', { title: `${document.get('title')} (copy)`, org: document.get('org'), signers: document.get('signers'), createdBy: caller(request) });
  copy.setACL(document.getACL());
  await copy.save(null, asCaller(request));
  return { title: copy.get('title'), number: copy.get('number'), signers: copy.get('signers').length };
}, { requireUser: true, fields: ['id'] });

Parse.Cloud.define('forwardDocument', async request => {
  const document = await documentOf(request);
  const to = [].concat(request.params.to);
  if (to.length > 3) throw new Parse.Error(Parse.Error.INVALID_QUERY, 'Forward to three people at most.');
  for (const address of to) await Parse.Cloud.sendEmail({ to: address, subject: document.get('title'), text: document.get('url') ?? 'no link' });
  await note('forwarded', document, { forwardedTo: to });
  return to.length;
}, { requireUser: true });

Parse.Cloud.define('archiveDocument', async request => {
  const document = await documentOf(request);
  await document.save({ archived: true }, asCaller(request));
}, { requireUser: true });

Parse.Cloud.define('signedUrl', request => presign(request.params.url, request.params.until), { fields: { url: { required: true, type: String } } });
