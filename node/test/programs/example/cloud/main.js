require('./functions');

Parse.Cloud.beforeSave('GameScore', request => {
  const score = request.object.get('score');
  if (score < 0) throw new Parse.Error(Parse.Error.VALIDATION_ERROR, 'no negative scores');
  if (score > 9000) request.object.set('score', 9000);
});
