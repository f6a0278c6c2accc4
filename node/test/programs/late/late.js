Parse.Cloud.define('afterwards', () => 'after the start');
Parse.Cloud.beforeSave('Thing', ({ object }) => object.set('stamped', true));
Parse.Cloud.beforeSave(Parse.User, ({ object }) => {
  if (object.get('username') === 'root') throw new Parse.Error(Parse.Error.OPERATION_FORBIDDEN, 'reserved');
  object.set('seen', 1);
});
