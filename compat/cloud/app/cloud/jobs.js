// What is done now and then.
const { master } = require('./common');

Parse.Cloud.job('expireDocuments', async request => {
  const before = new Date(request.params.before ?? Date.now());
  const documents = await new Parse.Query('Document').equalTo('status', 'sent').lessThan('expiry', before).find(master);
  request.message(`expiring ${documents.length}`);
  for (const document of documents) await document.save({ status: 'expired' }, master);
  return `${documents.length} expired`;
});

Parse.Cloud.job('remind', async request => {
  let sent = 0;
  await new Parse.Query('Document').equalTo('status', 'sent').include('signers').each(async document => {
    for (const signer of document.get('signers')) {
      if (!document.get('waiting').includes(signer.id)) continue;
      await Parse.Cloud.sendEmail({ to: signer.get('email'), subject: `Reminder: ${document.get('title')}`, text: 'Please sign.' });
      await request.message(`reminded ${(sent += 1)}`);
    }
  }, master);
});

Parse.Cloud.job('import', async request => {
  if (!request.params.rows) throw new Error('There is nothing to import.');
  await Parse.Object.saveAll(request.params.rows.map(row => new Parse.Object('Imported', row)), master);
  return `${request.params.rows.length} imported`;
});
