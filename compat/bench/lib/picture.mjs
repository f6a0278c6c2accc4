export function picture() { throw new Error('not yet'); }
