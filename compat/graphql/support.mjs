// Clients of a server's GraphQL endpoint.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client/core/index.js';
import { GraphQLClient } from 'graphql-request';
import { keys } from '../lib/server.mjs';

export const options = { mountGraphQL: true, allowClientClassCreation: true };

export const endpoint = (server) => `${server.root}/graphql`;

function headers({ session, master } = {}) {
  const all = { 'X-Parse-Application-Id': keys.appId };
  if (session) all['X-Parse-Session-Token'] = session;
  if (master) all['X-Parse-Master-Key'] = keys.masterKey;
  return all;
}

/** An Apollo client with its usual cache; errors reach the caller as they do in an app. */
export function apollo(server, caller) {
  return new ApolloClient({
    link: new HttpLink({ uri: endpoint(server), headers: headers(caller) }),
    cache: new InMemoryCache({ possibleTypes: { ArrayResult: ['Element', 'Note', 'User', 'Role'] } }),
    defaultOptions: { query: { fetchPolicy: 'network-only' } },
  });
}

/** A graphql-request client. */
export const request = (server, caller) => new GraphQLClient(endpoint(server), { headers: headers(caller) });
