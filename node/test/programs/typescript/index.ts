import express from 'express';
import http from 'http';
import ParseServerClass, { FileSystemAdapter, ParseServer, ParseGraphQLServer, SchemaMigrations, AuthAdapter, InMemoryCacheAdapter } from 'parse-server';

declare const Parse: any;

const port: number = Number(process.env.PORT);

const options = {
  databaseURI: process.env.DATABASE_URI as string,
  appId: 'app',
  masterKey: 'master',
  maintenanceKey: 'maintenance',
  serverURL: `http://127.0.0.1:${port}/parse`,
  allowClientClassCreation: true,
  sessionLength: 3600,
  cacheAdapter: new InMemoryCacheAdapter({ ttl: 500 }),
  passwordPolicy: { validatorPattern: '^.{6,}$', maxPasswordHistory: 3 },
  schema: {
    definitions: [
      SchemaMigrations.makeSchema('Place', {
        fields: { at: { type: 'GeoPoint' } },
        classLevelPermissions: SchemaMigrations.CLP.allow({ '*': ['find', 'get', 'create', 'count'] }),
      }),
    ],
  },
  cloud: (parse: any): void => {
    parse.Cloud.define('double', (request: any): number => request.params.n * 2);
  },
};

class Provider extends AuthAdapter {}

async function main(): Promise<void> {
  const server = new ParseServerClass(options as any);
  const started: ParseServerClass = await server.start();
  const app = express();
  app.use('/parse', started.app);
  app.get('/kinds', (_request: any, response: any) => {
    response.json({ adapter: typeof FileSystemAdapter, provider: (new Provider() as any).policy, graphQL: typeof ParseGraphQLServer, factory: typeof ParseServer.startApp });
  });
  http.createServer(app).listen(port, () => console.log('READY'));
}

main();
