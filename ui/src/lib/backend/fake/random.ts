/** Numbers that look random and are the same each time. */

/** A number from 0 up to 1 that depends on `seed` and `salt` alone. */
export function noise(seed: number, salt: number): number {
  let t = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)) >>> 0;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** One of `items`, which must not be empty. */
export function pick<T>(items: readonly [T, ...T[]], seed: number, salt: number): T {
  return items[Math.floor(noise(seed, salt) * items.length)] ?? items[0];
}
