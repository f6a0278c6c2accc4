// The cloud code of the benchmarks, the same on all servers.
Parse.Cloud.define('hello', () => 'hello');
Parse.Cloud.beforeSave('Changed', request => {
  request.object.set('title', `${request.object.get('title')} (changed)`);
});
Parse.Cloud.afterFind('Found', request => {
  for (const object of request.objects) object.set('link', `https://files.example.com/${object.get('score')}?signature=1`);
  return request.objects;
});
Parse.Cloud.afterSave('Followed', () => {});
// Keeps the process busy: for reads beside it.
Parse.Cloud.define('busy', () => {
  const end = Date.now() + 5;
  while (Date.now() < end);
  return 'done';
});
