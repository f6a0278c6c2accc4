import { total } from './total.js';

const loaded = await Promise.resolve('loaded');

Parse.Cloud.define('total', async request => ({ loaded, total: await total(request.params.numbers) }));
Parse.Cloud.afterFind('Team', request => {
  for (const team of request.objects) team.set('shown', team.get('name').toUpperCase());
});
