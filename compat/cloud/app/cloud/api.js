// Functions as small routers: handlers are given request and response, as in Express.
const { asCaller } = require('./common');

const routes = [];
const on = (method, path, ...handlers) => routes.push({ method, path, handlers });

/** Handlers run one after another until one answers. */
async function handle(request, response) {
  const { method = 'GET', path } = request.params;
  const route = routes.find(each => each.method === method && each.path === path);
  if (!route) return response.error(new Parse.Error(4040, `No route ${method} ${path}`));
  for (const handler of route.handlers) {
    let next = false;
    await handler(request, response, () => (next = true));
    if (!next) return undefined;
  }
  return undefined;
}

const signedIn = (request, response, next) => (request.user ? next() : response.error(new Parse.Error(4010, 'Sign in first.')));

on('GET', '/version', (request, response) => response.header('X-App', 'signatures').success({ version: 3 }));
on('POST', '/contacts', signedIn, async (request, response) => {
  const contact = await Parse.Cloud.run('saveContact', request.params.body, asCaller(request));
  response.status(201).success({ made: contact.get('name') });
});

Parse.Cloud.define('api', (request, response) => handle(request, response));
Parse.Cloud.define('hello', () => 'hello');
