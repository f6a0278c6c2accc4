// After the example of the parse-server repository.
const express = require('express');
const { ParseServer } = require('parse-server');
const path = require('path');

const config = {
  databaseURI: process.env.DATABASE_URI,
  cloud: process.env.CLOUD_CODE_MAIN || __dirname + '/cloud/main.js',
  appId: process.env.APP_ID || 'app',
  masterKey: process.env.MASTER_KEY || 'master',
  serverURL: process.env.SERVER_URL || `http://127.0.0.1:${process.env.PORT}/parse`,
  allowClientClassCreation: true,
};

const app = express();
app.use('/public', express.static(path.join(__dirname, '/public')));

async function start() {
  const mountPath = process.env.PARSE_MOUNT || '/parse';
  const server = new ParseServer(config);
  await server.start();
  app.use(mountPath, server.app);

  app.get('/', (req, res) => res.status(200).send('I dream of being a website.'));
  app.get('/count', async (req, res) => {
    const query = new Parse.Query('GameScore');
    res.json({ count: await query.count({ useMasterKey: true }) });
  });

  const httpServer = require('http').createServer(app);
  httpServer.listen(Number(process.env.PORT), () => console.log('READY'));
}
start();
