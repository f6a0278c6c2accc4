// A push adapter for npm parse-server that hands every call to a service at `options.url`.
const http = require('node:http');

// Hundreds of batches begin at once. With a connection each, `fetch` gives up on some after ten seconds, and parse-server ends with it.
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

function post(url, json) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method: 'POST', headers: { 'Content-Type': 'application/json' } }, response => {
      const chunks = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`the service answered ${response.statusCode}`));
      });
    });
    request.on('error', reject);
    request.end(JSON.stringify(json));
  });
}

module.exports = options => ({
  getValidPushTypes: () => ['ios', 'android', 'web'],
  send: (body, installations, pushStatus) => post(`${options.url}/push`, { body, installations, pushStatus }),
});
