const express = require('express');
const http = require('http');
const { ParseServer } = require('parse-server');

(async () => {
  const port = Number(process.env.PORT);
  const options = {
    databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${port}/parse`,
    allowClientClassCreation: true, liveQuery: { classNames: ['Message', 'Room'] },
  };
  const server = new ParseServer(options);
  await server.start();
  const app = express();
  app.use('/parse', server.app);
  const httpServer = http.createServer(app);
  httpServer.listen(port, () => console.log('READY'));
  await ParseServer.createLiveQueryServer(httpServer);
})();
