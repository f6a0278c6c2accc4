// The cloud code of the configuration `code`.
Parse.Cloud.define('guarded', () => 'ran', { requireMaster: true });
Parse.Cloud.job('guardedJob', () => {});
Parse.Cloud.beforeSave('CodeDenied', ({ object }) => {
  object.set('a', { _bsontype: 'Code', code: 'x' });
});
for (const name of ['CodeLive', '_User']) Parse.Cloud.afterLiveQueryEvent(name, () => {});
Parse.Cloud.afterLiveQueryEvent('CodeShared', request => {
  if (request.installationId === 'marked') request.object.set('mark', 'for one subscriber');
});
