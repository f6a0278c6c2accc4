const os = require('os');

Parse.Cloud.define('hello', request => `Hi ${request.params.name ?? 'there'}`);
Parse.Cloud.define('best', async () => {
  const query = new Parse.Query('GameScore');
  query.descending('score');
  return query.first({ useMasterKey: true });
});
Parse.Cloud.define('who', request => ({ user: request.user?.get('username'), master: request.master, host: typeof os.hostname() }));
Parse.Cloud.define('fails', () => {
  throw new Error('on purpose');
});
