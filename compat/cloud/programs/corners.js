// Corners of parse-server's behaviour that the recorded transcripts do not reach.
Parse.Cloud.job('told', req => { req.message('one'); req.message('two'); });
Parse.Cloud.job('number', req => { req.message('last'); return 5; });
Parse.Cloud.job('nothing', req => { req.message('last'); throw undefined; });
Parse.Cloud.job('text', req => { req.message('last'); return 'done'; });
Parse.Cloud.job('error', req => { req.message('last'); throw new Error('failed'); });
Parse.Cloud.define('empty');
Parse.Cloud.beforeLogin(() => { throw 'called'; }, { requireMaster: true });
Parse.Cloud.beforePasswordResetRequest(() => { throw 'called'; }, { requireUser: true });
Parse.Cloud.beforeSave('Undefined', req => { req.object.set('n', undefined); });
Parse.Cloud.beforeFind(Parse.File, req => { req.log.info(`find ${'headers' in req} ${'ip' in req}`); });
Parse.Cloud.afterFind(Parse.File, req => { req.log.info('found'); });
Parse.Cloud.define('hooks', async () => {
  await Parse.Hooks.createFunction('far', 'http://far/a');
  await Parse.Hooks.createTrigger('Far', 'beforeSave', 'http://far/b');
  await Parse.Hooks.updateFunction('far', 'http://far/c');
  await Parse.Hooks.getFunctions();
  await Parse.Hooks.getTrigger('Far', 'beforeSave');
  await Parse.Hooks.removeFunction('far');
  await Parse.Hooks.removeTrigger('Far', 'beforeSave');
  return Parse.Hooks.create({ url: 'http://far/d' }).catch(error => error.code);
});
