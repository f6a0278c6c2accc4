import ParseServer from './ParseServer';

/** GraphQL of a server, mounted into an Express app. */
export declare class ParseGraphQLServer {
  parseServer: ParseServer;
  config: any;
  constructor(parseServer: ParseServer, config: { graphQLPath: any; playgroundPath?: any; [key: string]: any });
  applyGraphQL(app: any): void;
  applyRequestContextMiddleware(api: any, options: any): void;
  applyPlayground(app: any): void;
  setGraphQLConfig(graphQLConfig: any): Promise<any>;
}
