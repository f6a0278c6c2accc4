import { differential } from './compare.mjs';
import { badInput } from './scripts/bad-input.mjs';
import { authData, deletion, logIn, readAndChange, sessions, signUp } from './scripts/users.mjs';

differential('users', { steps: [...signUp, ...logIn, ...readAndChange, ...sessions, ...authData, ...deletion] });
differential('users without private rows and sanitised errors', {
  options: { enforcePrivateUsers: false, enableSanitizedErrorResponse: false },
  steps: [...signUp, ...logIn, ...readAndChange, ...sessions],
});
differential('bad input', { steps: badInput, documents: { Bad: 'what is refused is not stored', _SCHEMA: 'nor makes it a field' } });
