// Reports.
const { master, caller, orgOf } = require('./common');

const REPORTS = {
  waiting: query => query.equalTo('status', 'sent'),
  done: query => query.containedIn('status', ['signed', 'declined']),
  drafts: query => query.equalTo('status', 'draft'),
};

Parse.Cloud.define('report', async request => {
  const org = await orgOf(caller(request));
  const report = REPORTS[request.params.kind];
  if (!report) throw new Parse.Error(404, 'Report is not available!');
  const documents = await report(new Parse.Query('Document').equalTo('org', org)).ascending('number').select('title', 'status').find(master);
  return documents.map(document => document.toJSON()).map(({ title, status }) => ({ title, status }));
}, { requireUser: true });

Parse.Cloud.define('statistics', async request => {
  const org = await orgOf(caller(request));
  const rows = await new Parse.Query('Document').aggregate([{ $match: { _p_org: `Org$${org.id}` } }, { $group: { _id: '$status', count: { $sum: 1 } } }], master);
  return Object.fromEntries(rows.map(row => [row.objectId, row.count]).sort());
}, { requireUser: true });

Parse.Cloud.define('history', async request => {
  const notes = await new Parse.Query('Audit').equalTo('document', request.params.id).ascending('createdAt').find(master);
  return notes.map(note => [note.get('event'), note.get('from') ?? '', note.get('to') ?? ''].join(' ').trim());
});
