export const total = async numbers => numbers.reduce((sum, number) => sum + number, 0);
