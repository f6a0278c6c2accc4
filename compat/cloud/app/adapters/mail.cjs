// Keeps mail in a file, one JSON text a line.
const fs = require('node:fs');

module.exports = options => {
  if (!options || !options.file) throw new Error('the mail adapter needs a file');
  return {
    sendMail: async mail => fs.appendFileSync(options.file, `${JSON.stringify({ from: options.from, ...mail })}\n`),
  };
};
