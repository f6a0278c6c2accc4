const express = require('express');
const http = require('http');
const { ParseServer } = require('parse-server');

(async () => {
  const port = Number(process.env.PORT);
  const server = ParseServer({
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${port}/api/v2/parse`,
    allowClientClassCreation: true, directAccess: false, fileUpload: { enableForPublic: true },
    cloud: Parse => Parse.Cloud.define('count', () => new Parse.Query('GameScore').count({ useMasterKey: true })),
  });
  await server.start();
  const api = express.Router();
  const inner = express();
  inner.use('/parse', server.app);
  api.use('/v2', inner);
  const app = express();
  app.use('/api', api);
  const plain = http.createServer(server.app);
  await new Promise(resolve => plain.listen(0, '127.0.0.1', resolve));
  app.get('/plain', async (req, res) => {
    const answer = await fetch(`http://127.0.0.1:${plain.address().port}/classes/GameScore?count=1&limit=0`, { headers: { 'X-Parse-Application-Id': 'app' } });
    res.status(answer.status).json(await answer.json());
  });
  app.listen(port, () => console.log('READY'));
})();
