const express = require('express');
const { ParseServer } = require('parse-server');

(async () => {
  const app = express();
  const server = new ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${process.env.PORT}/parse`,
    allowClientClassCreation: true,
  });
  Parse.Cloud.define('early', () => 'before the start');
  await server.start();
  require('./late');
  app.use('/parse', server.app);
  app.use(express.json());
  app.post('/signup', async (req, res) => {
    try {
      const user = new Parse.User();
      await user.signUp(req.body);
      res.json({ username: user.get('username'), session: typeof user.getSessionToken(), seen: user.get('seen') });
    } catch (error) {
      res.status(400).json({ code: error.code, message: error.message });
    }
  });
  app.get('/things', async (req, res) => {
    const things = await new Parse.Query('Thing').ascending('n').find({ useMasterKey: true });
    res.json(things.map(thing => [thing.get('n'), thing.get('stamped')]));
  });
  app.get('/later', (req, res) => {
    Parse.Cloud.define('later', () => 'defined by a request');
    res.json({ defined: true });
  });
  app.get('/now', async (req, res) => {
    Parse.Cloud.define('now', () => 'defined just now');
    res.json({ result: await Parse.Cloud.run('now') });
  });
  app.get('/many', async (req, res) => {
    const objects = Array.from({ length: 30 }, (_, n) => new Parse.Object('Many', { n }));
    await Parse.Object.saveAll(objects, { useMasterKey: true });
    const config = await Parse.Config.save({ color: 'red' }, {}, { useMasterKey: true });
    res.json({ count: await new Parse.Query('Many').count({ useMasterKey: true }), color: config.get('color') });
  });
  app.listen(Number(process.env.PORT), () => console.log('READY'));
})();
