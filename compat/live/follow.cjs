// Follows a query with one version of the Parse SDK, and prints what it hears: `node follow.cjs PACKAGE SERVER_URL`.
const [, , sdk, url] = process.argv;
const Parse = require(`${sdk}/node`);
Parse.initialize('app');
Parse.serverURL = url;

async function main() {
  const subscription = await new Parse.Query('LiveOld').greaterThan('n', 1).subscribe();
  // Told when the server ends; the oldest ends its process when nobody listens.
  subscription.on('error', () => {});
  for (const event of ['create', 'update', 'enter', 'leave', 'delete']) {
    subscription.on(event, object => console.log(`${event} ${object.get('n')} ${object.get('who')}`));
  }
}
main().catch(error => {
  console.error(error);
  process.exit(1);
});
