'use strict';
// GraphQL of a server, mounted into an Express app.

/** Fails as parse-server does: with a text. */
const required = message => {
  throw message;
};

class ParseGraphQLServer {
  constructor(parseServer, config) {
    if (!parseServer) required('You must provide a parseServer instance!');
    if (!config?.graphQLPath) required('You must provide a config.graphQLPath!');
    const { graphQLCustomTypeDefs: definitions } = config;
    if (definitions && definitions !== parseServer.config.graphQLSchema) {
      if (parseServer.starting) {
        throw new Error('config.graphQLCustomTypeDefs: give the schema to ParseServer, as option graphQLSchema, or make this before the start');
      }
      parseServer.config.graphQLSchema = definitions;
    }
    this.parseServer = parseServer;
    this.config = config;
  }

  /** Mounts the program's `requestContextMiddleware` into an app of its own. */
  applyRequestContextMiddleware(api, options) {
    this.parseServer.constructor.applyRequestContextMiddleware(api, options);
  }

  /** Serves GraphQL at `config.graphQLPath`. */
  applyGraphQL(app) {
    if (!app?.use) required('You must provide an Express.js app instance!');
    app.use(this.config.graphQLPath, this.parseServer.withRequestContext(this.parseServer.config.graphQLPath));
  }

  /** Serves the playground at `config.playgroundPath`. */
  applyPlayground(app) {
    if (!app?.get) required('You must provide an Express.js app instance!');
    const path = this.config.playgroundPath ?? required('You must provide a config.playgroundPath to applyPlayground!');
    app.use(path, this.parseServer.middleware(this.parseServer.config.playgroundPath, this.config.graphQLPath));
  }

  /** Changes what of the schema GraphQL shows. */
  async setGraphQLConfig(graphQLConfig) {
    const { channel } = this.parseServer.embedded;
    const request = { method: 'PUT', path: 'graphql-config', auth: { useMasterKey: true } };
    const { value, attachment } = await channel.call('rest', request, Buffer.from(JSON.stringify({ params: graphQLConfig })));
    const answer = JSON.parse(attachment.toString('utf8'));
    if (value.status >= 400) throw new Error(answer.error);
    return answer;
  }
}

module.exports = { ParseGraphQLServer };
