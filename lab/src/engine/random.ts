/** Seeded randomness: the same seed gives the same plan and the same behaviour, on every machine. */

/** A stream of numbers in [0, 1). */
export type Random = () => number;

/** sfc32 (Chris Doty-Humphrey's Small Fast Counting generator), seeded through a hash of `seed` and `name`. */
export function createRandom(seed: number, name = ''): Random {
  let [a, b, c] = [hash(`${seed}/${name}/a`), hash(`${seed}/${name}/b`), hash(`${seed}/${name}/c`)];
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let index = 0; index < 12; index += 1) next(); // mixes the seed in
  return next;
}

/** Exponential gap with this mean: arrivals with such gaps are Poisson. Never longer than eight means. */
export function exponentialMs(random: Random, meanMs: number): number {
  return Math.min(-Math.log(1 - random()) * meanMs, 8 * meanMs);
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x81_1c_9d_c5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01_00_01_93);
  }
  return value | 0;
}
