export async function growth() { throw new Error('not yet'); }
