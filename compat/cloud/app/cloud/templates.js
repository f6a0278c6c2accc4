// Templates: documents to be made again and again.
const yaml = require('js-yaml');
const { asCaller, caller, orgOf, aclOf } = require('./common');
const { presign } = require('./links');

Parse.Cloud.beforeSave('Template', request => {
  const template = request.object;
  if (template.dirty('body')) template.set('fields', [...template.get('body').matchAll(/\{(\w+)\}/g)].map(match => match[1]));
}, { requireUser: true, fields: { name: { required: true, error: 'A template needs a name.' }, kind: { default: 'letter', options: ['letter', 'contract'] } } });

Parse.Cloud.afterSave('Template', request => {
  request.log.info(`template ${request.object.get('name')} saved`);
});

Parse.Cloud.afterFind('Template', request => {
  for (const template of request.objects) if (template.get('preview')) template.set('preview', presign(template.get('preview')));
});

Parse.Cloud.define('saveTemplate', async request => {
  const { name, kind, body } = request.params;
  const org = await orgOf(caller(request));
  const template = new Parse.Object('Template', { name, body, org });
  if (kind) template.set('kind', kind);
  template.setACL(aclOf(org));
  await template.save(null, asCaller(request));
  return { id: template.id, kind: template.get('kind'), fields: template.get('fields') };
});

Parse.Cloud.define('fillTemplate', async request => {
  const template = await new Parse.Query('Template').get(request.params.id, asCaller(request));
  const values = yaml.load(request.params.values) ?? {};
  const missing = template.get('fields').filter(field => !(field in values));
  if (missing.length > 0) throw new Parse.Error(Parse.Error.VALIDATION_ERROR, `Missing: ${missing.join(', ')}`);
  return template.get('body').replace(/\{(\w+)\}/g, (_, field) => String(values[field]));
}, { requireUser: true });

Parse.Cloud.define('saveAsTemplate', async request => {
  const document = await new Parse.Query('Document').get(request.params.id, asCaller(request));
  return Parse.Cloud.run('saveTemplate', { name: document.get('title'), body: `Document {number}` }, asCaller(request));
}, { requireUser: true });
