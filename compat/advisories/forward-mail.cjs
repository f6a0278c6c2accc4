// A mail adapter for parse-server that posts every mail to FORWARD_MAIL_URL.
const http = require('node:http');

const post = (kind, mail) =>
  new Promise((resolve, reject) => {
    const payload = JSON.stringify({ mail });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) };
    const request = http.request(`${process.env.FORWARD_MAIL_URL}/mail/${kind}`, { method: 'POST', headers }, response => {
      response.resume();
      response.on('end', resolve);
    });
    request.on('error', reject);
    request.end(payload);
  });

module.exports = () => ({
  sendMail: mail => post('sendMail', mail),
  sendVerificationEmail: ({ link, user }) => post('sendVerificationEmail', { link, to: user.get('email') }),
  sendPasswordResetEmail: ({ link, user }) => post('sendPasswordResetEmail', { link, to: user.get('email') }),
});
