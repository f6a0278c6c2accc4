const express = require('express');
const { ParseServer } = require('parse-server');

(async () => {
  const app = express();
  const port = Number(process.env.PORT);
  for (const name of ['red', 'blue']) {
    const server = new ParseServer({
      databaseURI: process.env.DATABASE_URI, collectionPrefix: `${name}_`, appId: name, masterKey: `${name}-master`,
      serverURL: `http://127.0.0.1:${port}/${name}`, allowClientClassCreation: true,
      cloud: Parse => {
        Parse.Cloud.define('name', () => name);
        Parse.Cloud.beforeSave('Thing', request => request.object.set('by', name));
      },
    });
    await server.start();
    app.use(`/${name}`, server.app);
  }
  app.listen(port, () => console.log('READY'));
})();
