import { differential } from './compare.mjs';
import { batches, closed, objects, queries, roles, schemas } from './scripts/classes.mjs';

differential('objects and schemas', { steps: [...objects, ...schemas] });
differential('queries', { steps: queries });
differential('roles and batches', { steps: [...roles, ...batches] });
differential('classes that clients may not make', { options: { allowClientClassCreation: false }, steps: closed });
