// A mail adapter for the reference that sends nothing.
module.exports = () => ({
  sendMail: async () => {},
  sendVerificationEmail: async () => {},
  sendPasswordResetEmail: async () => {},
});
