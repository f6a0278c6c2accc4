const express = require('express');
const { default: ParseServer, ParseGraphQLServer } = require('parse-server');

const app = express();
const port = Number(process.env.PORT);
const parseServer = new ParseServer({
  databaseURI: process.env.DATABASE_URI, appId: 'app', masterKey: 'master', serverURL: `http://127.0.0.1:${port}/parse`,
  publicServerURL: `http://127.0.0.1:${port}/parse`, allowClientClassCreation: true,
  cloud: Parse => Parse.Cloud.define('hello', request => `hello ${request.params.name}`),
});

(async () => {
  await parseServer.start();
  const parseGraphQLServer = new ParseGraphQLServer(parseServer, { graphQLPath: '/api/graphql', playgroundPath: '/api/play' });
  app.use('/parse', parseServer.app);
  parseGraphQLServer.applyGraphQL(app);
  parseGraphQLServer.applyPlayground(app);
  app.get('/limit', async (req, res) => {
    await parseGraphQLServer.setGraphQLConfig({ enabledForClasses: ['_User', 'Book'] });
    res.json({ set: true });
  });
  app.listen(port, () => console.log('READY'));
})();
